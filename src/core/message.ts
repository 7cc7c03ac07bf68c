// Everything that one node says to another. The wire format is the codec's affair
// (adapters/wire); the core and the simulator see these objects.

import type { MembershipMessage } from './membership/message.js'
import type { StateMessage } from './state/message.js'
import type { TaskMessage } from './tasks/message.js'

export type Message = MembershipMessage | StateMessage | TaskMessage
