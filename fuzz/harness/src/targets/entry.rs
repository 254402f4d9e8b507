//! The macro that makes a target a program of a fuzzing engine: the same line for libFuzzer, AFL++ and honggfuzz.

/// The program of the target of this name, for the engine whose feature the crate with this line has. With `counting` its
/// allocations are counted.
#[macro_export]
macro_rules! entry {
    ($name:ident, counting) => {
        #[global_allocator]
        static COUNTING: $crate::targets::allocation::Counting = $crate::targets::allocation::Counting;
        $crate::entry!($name);
    };
    ($name:ident) => {
        /// Any bytes, printed as what they stand for (`cargo fuzz fmt`).
        #[cfg(feature = "libfuzzer")]
        struct Input(Vec<u8>);

        #[cfg(feature = "libfuzzer")]
        impl std::fmt::Debug for Input {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::targets::tell(stringify!($name), &self.0))
            }
        }

        #[cfg(feature = "libfuzzer")]
        impl<'a> libfuzzer_sys::arbitrary::Arbitrary<'a> for Input {
            fn arbitrary(
                bytes: &mut libfuzzer_sys::arbitrary::Unstructured<'a>,
            ) -> libfuzzer_sys::arbitrary::Result<Self> {
                bytes.bytes(bytes.len()).map(|bytes| Self(bytes.to_vec()))
            }

            fn arbitrary_take_rest(
                bytes: libfuzzer_sys::arbitrary::Unstructured<'a>,
            ) -> libfuzzer_sys::arbitrary::Result<Self> {
                Ok(Self(bytes.take_rest().to_vec()))
            }
        }

        #[cfg(feature = "libfuzzer")]
        libfuzzer_sys::fuzz_target!(|input: Input| $crate::targets::execute(
            stringify!($name),
            $crate::targets::$name,
            &input.0
        ));

        #[cfg(all(feature = "afl", not(feature = "libfuzzer")))]
        fn main() {
            afl::fuzz!(|bytes: &[u8]| {
                $crate::targets::execute(stringify!($name), $crate::targets::$name, bytes)
            });
        }

        #[cfg(all(feature = "honggfuzz", not(any(feature = "libfuzzer", feature = "afl"))))]
        fn main() {
            loop {
                honggfuzz::fuzz!(|bytes: &[u8]| {
                    $crate::targets::execute(stringify!($name), $crate::targets::$name, bytes)
                });
            }
        }

        #[cfg(not(any(feature = "libfuzzer", feature = "afl", feature = "honggfuzz")))]
        compile_error!("an engine is needed: --features libfuzzer (the default), afl or honggfuzz");
    };
}
