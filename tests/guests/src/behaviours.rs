//! The behaviours, each a module of the guest beside this file and a test in
//! `tests/host/behaviours.rs`. Both sides are made from this one list, so that neither compiles
//! without the other.

/// Invokes `$then!` with the name of every behaviour.
macro_rules! for_each_behaviour {
    ($then:ident) => {
        $then! {
            answer_forever,
            answer_late,
            break_off,
            claim_length,
            connection_header,
            crash,
            eat_handles,
            eat_memory,
            eat_streams,
            fail,
            fine,
            finish_late,
            get_keys_bomb,
            greet,
            hand_over,
            host_header,
            hundred_megabytes,
            list_keys,
            many_headers,
            open_foreign,
            read_key,
            read_without_end,
            recurse,
            spin,
            wait_forever,
            write_record,
        }
    };
}
