// The names of things. Branded, so that a task id is never passed where a node
// id is wanted; they are plain strings at run time and cost nothing.

declare const brand: unique symbol
type Branded<T, Name extends string> = T & { readonly [brand]: Name }

/** A libp2p PeerId in its usual text form, `12D3Koo…`. */
export type NodeId = Branded<string, 'NodeId'>
/** The id of a task, as its user wrote it. */
export type TaskId = Branded<string, 'TaskId'>
/** The name of a space or of a document. */
export type SpaceName = Branded<string, 'SpaceName'>
/** Milliseconds: a point in time since 1970, or a length of time. */
export type Millis = number

export const nodeId = (text: string): NodeId => text as NodeId
export const taskId = (text: string): TaskId => text as TaskId
export const spaceName = (text: string): SpaceName => text as SpaceName

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** Whether a text may name a node, a task or a space (contract, section 1). */
export const isName = (text: unknown): text is string => typeof text === 'string' && NAME.test(text)

/** Orders ids by their characters' codes, alike on every machine whatever its locale. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
