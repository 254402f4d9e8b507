#!/bin/bash -eu
# Copyright 2026 The Züs block production protocol authors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.


# Builds every fuzz target into $OUT, with its committed inputs beside it: for OSS-Fuzz and ClusterFuzzLite, which set SRC,
# OUT, SANITIZER and FUZZING_ENGINE. `fuzz/check-build` runs it without their images.

if [ "$FUZZING_ENGINE" != libfuzzer ]; then
    echo "engine $FUZZING_ENGINE: Rust projects are built for libfuzzer only" >&2
    exit 1
fi
# shellcheck disable=SC2153 # the image sets it
case $SANITIZER in
    address | none | coverage) ;;
    *)
        echo "sanitizer $SANITIZER: there are address, coverage and none" >&2
        exit 1
        ;;
esac

cd "$SRC/zus-bpp/fuzz"
# Two dozen programs are not linked at length.
export CARGO_PROFILE_RELEASE_LTO=false CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
target=${TARGET_DIR:-$SRC/zus-bpp/target/oss-fuzz}
triple=x86_64-unknown-linux-gnu
if [ "$SANITIZER" = coverage ]; then
    # Coverage comes with flags that the image adds to RUSTFLAGS. Not through cargo-fuzz: the image replaces that then. The report wants sources by their whole names.
    for room in fuzz impl model output; do RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix $room=$SRC/zus-bpp/$room"; done
    export RUSTFLAGS
    cargo build --release --bins --target "$triple" --target-dir "$target"
else
    # As `fuzz/build` does: optimised, with debug assertions and overflow checks.
    cargo fuzz build --sanitizer "$SANITIZER" --target-dir "$target"
fi

for shim in fuzz_targets/*.rs; do
    name=$(basename "$shim" .rs)
    cp "$target/$triple/release/$name" "$OUT/"
    zip --quiet --junk-paths "$OUT/${name}_seed_corpus.zip" "inputs/$name"/*
    # Runs on real signatures take milliseconds, and tens of them under a sanitizer.
    printf '[libfuzzer]\ntimeout = 120\nrss_limit_mb = 2560\n' >"$OUT/$name.options"
done
