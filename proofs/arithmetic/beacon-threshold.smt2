; n - f > 2f for f = floor((n - 1) / 3), every n >= 1, and the n - f honest miners reach n - f: what a beacon threshold needs.
; expect unsat; judge both
(set-logic QF_LIA)
(declare-const n Int)
(declare-const f Int)
(declare-const t Int)
(assert (and (>= n 1) (<= (* 3 f) (- n 1)) (> (* 3 (+ f 1)) (- n 1))))
(assert (= t (- n f)))
(assert (or (<= t (* 2 f)) (> t (- n f))))
(check-sat)
