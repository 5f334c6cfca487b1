//! System calls that are refused: which numbers a name stands for, and the program by which the kernel refuses them.
//!
//! The program is plain BPF and written here: a handful of instructions, and one that lets calls of another
//! architecture pass, where ready-made builders kill the caller. Must not know: processes, knobs.
//! Invariant: what is not named passes.

use serde::{Deserialize, Serialize};

/// A call that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    /// What is called.
    pub(crate) call: Call,
    /// The error it gets.
    pub(crate) errno: u16,
}

/// A system call, all of it or that with a certain argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Call {
    /// Its number on this architecture.
    pub(crate) number: u32,
    /// Position and value (its lower half) of an argument it must have.
    pub(crate) argument: Option<(u8, u32)>,
}

/// An instruction of a BPF program, laid out as the kernel reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Instruction {
    pub(crate) code: u16,
    pub(crate) jt: u8,
    pub(crate) jf: u8,
    pub(crate) k: u32,
}

/// Loads the word at position `k` of what the program judges.
const LOAD: u16 = 0x20;
/// Goes on after `jt` instructions if the word is `k`, else after `jf`.
const JUMP_IF_EQUAL: u16 = 0x15;
/// Ends with `k`.
const RETURN: u16 = 0x06;
/// The call passes.
const ALLOW: u32 = 0x7fff_0000;
/// The call is refused with the error in the lower half.
const ERRNO: u32 = 0x0005_0000;
/// Where the call's number, its architecture and its arguments are.
const NUMBER_AT: u32 = 0;
const ARCHITECTURE_AT: u32 = 4;
const ARGUMENTS_AT: u32 = 16;

/// Returns the program that refuses `refusals` and nothing else; empty for none.
pub(crate) fn program(refusals: &[Refusal]) -> Vec<Instruction> {
    // Nobody prepares refusals for another architecture, where no program would be right.
    ARCHITECTURE.map_or_else(Vec::new, |architecture| program_for(refusals, architecture))
}

fn program_for(refusals: &[Refusal], architecture: u32) -> Vec<Instruction> {
    let load = |k| plain(LOAD, k);
    let end = |k| plain(RETURN, k);
    let unless = |k, jf| Instruction {
        code: JUMP_IF_EQUAL,
        jt: 0,
        jf,
        k,
    };
    if refusals.is_empty() {
        return Vec::new();
    }
    let mut program = vec![
        load(ARCHITECTURE_AT),
        Instruction {
            code: JUMP_IF_EQUAL,
            jt: 1,
            jf: 0,
            k: architecture,
        },
        end(ALLOW),
        load(NUMBER_AT),
    ];
    for Refusal { call, errno } in refusals {
        let refuse = end(ERRNO | u32::from(*errno));
        match call.argument {
            None => program.extend([unless(call.number, 1), refuse]),
            Some((position, value)) => program.extend([
                unless(call.number, 4),
                load(ARGUMENTS_AT + 8 * u32::from(position)),
                unless(value, 1),
                refuse,
                load(NUMBER_AT),
            ]),
        }
    }
    program.push(end(ALLOW));
    program
}

fn plain(code: u16, k: u32) -> Instruction {
    Instruction {
        code,
        jt: 0,
        jf: 0,
        k,
    }
}

/// What the kernel calls this architecture; none where no call can be refused.
pub(crate) const ARCHITECTURE: Option<u32> = if cfg!(not(target_os = "linux")) {
    None
} else if cfg!(target_arch = "x86_64") {
    Some(0xc000_003e)
} else if cfg!(target_arch = "aarch64") {
    Some(0xc000_00b7)
} else if cfg!(target_arch = "riscv64") {
    Some(0xc000_00f3)
} else {
    None
};

#[cfg(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
))]
#[path = "system_calls.rs"]
mod numbers;

/// No call can be refused here.
#[cfg(not(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
)))]
mod numbers {
    pub(crate) fn of(_name: &str) -> Vec<super::Call> {
        Vec::new()
    }

    pub(crate) fn inet6_socket() -> Option<super::Call> {
        None
    }
}

pub(crate) use numbers::{inet6_socket, of as calls};

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `program` on a call as the kernel does.
    fn verdict(
        program: &[Instruction],
        architecture: u32,
        number: u32,
        arguments: [u64; 6],
    ) -> u32 {
        let word = |at: u32| match at {
            NUMBER_AT => number,
            ARCHITECTURE_AT => architecture,
            at => arguments[((at - ARGUMENTS_AT) / 8) as usize] as u32,
        };
        let (mut at, mut accumulator) = (0, 0);
        loop {
            let one = program[at];
            at += 1;
            match one.code {
                LOAD => accumulator = word(one.k),
                JUMP_IF_EQUAL => {
                    let skip = if accumulator == one.k { one.jt } else { one.jf };
                    at += usize::from(skip);
                }
                _ => return one.k,
            }
        }
    }

    #[test]
    fn what_is_named_is_refused_and_everything_else_passes() {
        let call = |number, argument| Call { number, argument };
        let refusals = [
            Refusal {
                call: call(41, Some((0, 10))),
                errno: 97,
            },
            Refusal {
                call: call(42, None),
                errno: 111,
            },
            Refusal {
                call: call(263, Some((2, 0x200))),
                errno: 30,
            },
            Refusal {
                call: call(41, Some((0, 2))),
                errno: 13,
            },
        ];
        let program = program_for(&refusals, 7);
        let judged = |number, arguments| verdict(&program, 7, number, arguments);
        assert_eq!(judged(41, [10, 1, 0, 0, 0, 0]), ERRNO | 97);
        assert_eq!(judged(41, [2, 1, 0, 0, 0, 0]), ERRNO | 13);
        assert_eq!(judged(41, [1, 10, 0, 0, 0, 0]), ALLOW);
        assert_eq!(judged(42, [0; 6]), ERRNO | 111);
        assert_eq!(judged(263, [0, 0, 0x200, 0, 0, 0]), ERRNO | 30);
        assert_eq!(judged(263, [0; 6]), ALLOW);
        assert_eq!(judged(0, [0; 6]), ALLOW);
        assert_eq!(verdict(&program, 8, 42, [0; 6]), ALLOW);
        assert!(program_for(&[], 7).is_empty());
    }

    #[test]
    fn every_name_of_the_configuration_stands_for_a_call_of_this_architecture() {
        for name in crate::config::errno::SYSCALLS {
            assert_eq!(calls(name).is_empty(), ARCHITECTURE.is_none(), "{name}");
        }
        assert!(calls("no_such_call").is_empty());
        let rename = calls("rename");
        assert!(calls("renameat2").iter().all(|call| rename.contains(call)));
    }
}
