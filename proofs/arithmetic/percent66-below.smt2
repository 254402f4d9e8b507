; ... and n = 50 is the first for which it does not.
; expect unsat; judge both
(set-logic QF_LIA)
(declare-const n Int)
(declare-const f Int)
(declare-const q Int)
(assert (and (>= n 1) (<= (* 3 f) (- n 1)) (> (* 3 (+ f 1)) (- n 1))))
(assert (and (>= (* 100 q) (* 66 n)) (< (* 100 (- q 1)) (* 66 n))))
(assert (<= (* 2 q) (+ n f)))
(assert (< n 50))
(check-sat)
