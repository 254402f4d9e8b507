; quorum = Percent66: q = ceil(0.66 n) does not give 2q > n + f for all n.
; expect sat; judge both
(set-logic QF_LIA)
(declare-const n Int)
(declare-const f Int)
(declare-const q Int)
(assert (and (>= n 1) (<= (* 3 f) (- n 1)) (> (* 3 (+ f 1)) (- n 1))))
(assert (and (>= (* 100 q) (* 66 n)) (< (* 100 (- q 1)) (* 66 n))))
(assert (<= (* 2 q) (+ n f)))
(assert (= n 50))
(check-sat)
