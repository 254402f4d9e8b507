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
    address) sanitizer=address ;;
    # Coverage comes with flags that the image adds to RUSTFLAGS.
    none | coverage) sanitizer=none ;;
    *)
        echo "sanitizer $SANITIZER: there are address, coverage and none" >&2
        exit 1
        ;;
esac

cd "$SRC/zus-bpp/fuzz"
# A source line of the project must have one name, wherever it is built. A dozen programs are not linked at length.
export RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$SRC/zus-bpp=zus-bpp"
export CARGO_PROFILE_RELEASE_LTO=false CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
target=$SRC/zus-bpp/target/oss-fuzz
triple=x86_64-unknown-linux-gnu
cargo fuzz build --optimized --debug-assertions --sanitizer "$sanitizer" --target-dir "$target" \
    --no-default-features --features libfuzzer

for shim in fuzz_targets/*.rs; do
    name=$(basename "$shim" .rs)
    cp "$target/$triple/release/$name" "$OUT/"
    zip --quiet --junk-paths "$OUT/${name}_seed_corpus.zip" "corpus/$name"/*
    # Runs on real signatures take milliseconds, and tens of them under a sanitizer.
    printf '[libfuzzer]\ntimeout = 120\nrss_limit_mb = 2560\n' >"$OUT/$name.options"
done
