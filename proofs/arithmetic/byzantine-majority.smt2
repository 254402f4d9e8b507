; 2q > n + f for q = n - f, f = floor((n - 1) / 3), every n >= 1: what makes two quorums share an honest miner.
; expect unsat; judge both
(set-logic QF_LIA)
(declare-const n Int)
(declare-const f Int)
(declare-const q Int)
(assert (and (>= n 1) (<= (* 3 f) (- n 1)) (> (* 3 (+ f 1)) (- n 1))))
(assert (= q (- n f)))
(assert (<= (* 2 q) (+ n f)))
(check-sat)
