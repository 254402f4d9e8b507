; axiom quorum-intersection, for any n: with f = floor((n - 1) / 3) and q = n - f, two sets of at least q of n miners
; share a miner outside any set of at most f. The miners are a finite set of any size, counted by cardinality.
; expect unsat; judge cvc5
(set-logic ALL)
(declare-sort Miner 0)
(declare-const committee (Set Miner))
(declare-const q1 (Set Miner))
(declare-const q2 (Set Miner))
(declare-const byzantine (Set Miner))
(declare-const n Int)
(declare-const f Int)
(assert (= n (set.card committee)))
(assert (and (>= n 1) (<= (* 3 f) (- n 1)) (> (* 3 (+ f 1)) (- n 1))))
(assert (and (set.subset q1 committee) (set.subset q2 committee) (set.subset byzantine committee)))
(assert (and (>= (set.card q1) (- n f)) (>= (set.card q2) (- n f)) (<= (set.card byzantine) f)))
(assert (set.subset (set.inter q1 q2) byzantine))
(check-sat)
