; The expected number of subrounds up to the first good one, for any n. In each subround all n miners are equally likely to
; have the best rank, whatever was before, and n - f of them are up. Of the first k subrounds e(k) are expected to begin
; before a good one has ended: e(0) = 0, and e(k + 1) = 1 + f / n * e(k). This is the step of e(k) <= n / (n - f) < 3/2.
; expect unsat; judge both
(set-logic QF_NRA)
(declare-const n Real)
(declare-const f Real)
(declare-const e Real)
(declare-const next Real)
(assert (and (>= n 1) (>= f 0) (<= (* 3 f) (- n 1))))
(assert (<= (* (- n f) e) n))
(assert (= (* n next) (+ n (* f e))))
(assert (or (> (* (- n f) next) n) (>= (* 2 n) (* 3 (- n f)))))
(check-sat)
