// The limits of a task's declaration. What a limit protects stands beside it; a spec
// beyond one is refused at the door that it came through, so that no node is surprised
// by it later.

/** Input is copied into every node's state and into a program's environment (128 KB for one variable on Linux). */
export const TASK_INPUT_BYTES_MAX = 65_536
/** A whole spec, as JSON: it travels and stands in shared state as one value. */
export const TASK_SPEC_BYTES_MAX = 131_072
/** Copies by number; a task for more members than that asks for `"all"`. Choosing r of n costs about r × n. */
export const TASK_REPLICAS_MAX = 1_000
export const TASK_NEEDS_MAX = 32
/** Names and values of labels, in characters. */
export const TASK_LABEL_CHARS_MAX = 253
/** Weights are summed over all tasks; a million of the heaviest stay far below 2⁵³. */
export const TASK_WEIGHT_MAX = 1_000_000
export const TASK_EXEC_ARGS_MAX = 256
export const TASK_EXEC_ARG_CHARS_MAX = 32_768
export const TASK_ENV_MAX = 128
export const TASK_ENV_CHARS_MAX = 32_768
export const TASK_NAME_CHARS_MAX = 128
export const TASK_PATH_CHARS_MAX = 1_024
/** A shorter period would be spent on starting and stopping. */
export const TASK_EVERY_MS_MIN = 10
export const TASK_EVERY_MS_MAX = 366 * 86_400_000
/** A member that leaves waits this long at most for its copies. */
export const TASK_STOP_GRACE_MS_MAX = 3_600_000
/** How far ahead a calendar is searched before it is called empty: 29 February comes every 4 years, 8 around 2100, and on a given weekday every 28, 40 around 2100. */
export const CRON_SEARCH_YEARS = 41

export const DEFAULT_STOP_GRACE = '5s'
/** Bounds of the `balance` knob: below 1 no placement could keep it, above 100 it never matters. */
export const BALANCE_MIN = 1
export const BALANCE_MAX = 100
