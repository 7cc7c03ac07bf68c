// Every scenario that `shoal simulate` knows; the first is the one it runs when
// none is named.

import type { Scenario } from './scenario.js'

export const scenarios: readonly Scenario[] = []
