"""Asks z3 or cvc5 about SMT-LIB scripts.

Reads one JSON object a line, {"name": ..., "script": ..., "likely": "sat" or "unsat"}, each script with one (check-sat);
answers one line each: name, answer (sat, unsat, or unknown with a reason), seconds, separated by tabs. The solver is the
first argument, the time limit of one script in seconds the second. The likely answer decides which way of asking comes
first, and nothing else.
"""

import json
import sys
import time


def z3_judge(seconds):
    import z3

    def ask(script, _likely):
        # A context of its own: the answer, and how long it takes, must not depend on the scripts before.
        solver = z3.SimpleSolver(ctx=z3.Context())
        solver.set("timeout", int(seconds * 1000))
        solver.from_string(script)
        answer = str(solver.check())
        return answer if answer != "unknown" else "unknown: " + solver.reason_unknown()

    return z3.get_version_string(), ask


def cvc5_judge(seconds):
    import cvc5

    def attempt(script, options):
        solver = cvc5.Solver()
        for option, value in options.items():
            solver.setOption(option, value)
        parser = cvc5.InputParser(solver)
        parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "condition")
        symbols = parser.getSymbolManager()
        answer = "unknown: no check-sat"
        while True:
            command = parser.nextCommand()
            if command.isNull():
                return answer
            result = str(command.invoke(solver, symbols)).strip()
            if result in ("sat", "unsat", "unknown"):
                answer = result
            elif result and result != "success":
                return "unknown: " + result

    def ask(script, likely):
        # Instantiation by conflict and relevance refutes; only the finite model finder can answer sat.
        limit = {"tlimit-per": str(int(seconds * 1000))}
        ways = [{**limit, "finite-model-find": "true"}, limit]
        for way in reversed(ways) if likely == "unsat" else ways:
            answer = attempt(script, way)
            if answer in ("sat", "unsat"):
                break
        return answer

    return cvc5.__version__, ask


def main():
    sys.setrecursionlimit(100_000)
    version, ask = {"z3": z3_judge, "cvc5": cvc5_judge}[sys.argv[1]](float(sys.argv[2]))
    print("version\t" + version, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        start = time.monotonic()
        try:
            answer = ask(job["script"], job["likely"])
        except Exception as error:  # The judge's answer to a script that it cannot read.
            answer = "unknown: " + " ".join(str(error).split())
        print(f"{job['name']}\t{answer}\t{time.monotonic() - start:.3f}", flush=True)


main()
