; Control: no number below 3/2 bounds it for every n; 7/5 is passed at n = 10.
; expect sat; judge both
(set-logic QF_LIA)
(declare-const n Int)
(declare-const f Int)
(assert (and (>= n 1) (<= (* 3 f) (- n 1)) (> (* 3 (+ f 1)) (- n 1))))
(assert (> (* 5 n) (* 7 (- n f))))
(assert (= n 10))
(check-sat)
