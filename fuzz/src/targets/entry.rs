//! What makes a target a program of a fuzzing engine: the same line for libFuzzer, AFL++ and honggfuzz.

/// The program of the target of this name, for the engine whose feature is on. With `counting` its allocations are counted.
#[macro_export]
macro_rules! entry {
    ($name:ident, counting) => {
        #[global_allocator]
        static COUNTING: $crate::targets::allocation::Counting = $crate::targets::allocation::Counting;
        $crate::entry!($name);
    };
    ($name:ident) => {
        $crate::engine_entry!($name);
    };
}

/// libFuzzer: any bytes, printed as what they stand for (`cargo fuzz fmt`).
#[cfg(feature = "libfuzzer")]
#[doc(hidden)]
#[macro_export]
macro_rules! engine_entry {
    ($name:ident) => {
        struct Input(Vec<u8>);

        impl std::fmt::Debug for Input {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::targets::tell(stringify!($name), &self.0))
            }
        }

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

        libfuzzer_sys::fuzz_target!(|input: Input| $crate::targets::execute(
            stringify!($name),
            $crate::targets::$name,
            &input.0
        ));
    };
}

/// AFL++, through cargo-afl.
#[cfg(all(feature = "afl", not(feature = "libfuzzer")))]
#[doc(hidden)]
#[macro_export]
macro_rules! engine_entry {
    ($name:ident) => {
        fn main() {
            afl::fuzz!(|bytes: &[u8]| {
                $crate::targets::execute(stringify!($name), $crate::targets::$name, bytes)
            });
        }
    };
}

/// honggfuzz, through its cargo command.
#[cfg(all(feature = "honggfuzz", not(any(feature = "libfuzzer", feature = "afl"))))]
#[doc(hidden)]
#[macro_export]
macro_rules! engine_entry {
    ($name:ident) => {
        fn main() {
            loop {
                honggfuzz::fuzz!(|bytes: &[u8]| {
                    $crate::targets::execute(stringify!($name), $crate::targets::$name, bytes)
                });
            }
        }
    };
}

/// No engine: the inputs that are named on the command line, one after the other.
#[cfg(not(any(feature = "libfuzzer", feature = "afl", feature = "honggfuzz")))]
#[doc(hidden)]
#[macro_export]
macro_rules! engine_entry {
    ($name:ident) => {
        fn main() -> std::io::Result<()> {
            for path in std::env::args_os().skip(1) {
                let bytes = $crate::targets::input(path.as_ref())?;
                $crate::targets::execute(stringify!($name), $crate::targets::$name, &bytes);
            }
            Ok(())
        }
    };
}
