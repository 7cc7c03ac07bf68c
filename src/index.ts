// The library: `createNode()` and the types that users see. Nothing starts on import,
// there is no global state, and several nodes live in one process.

import './polyfill.js'
import type * as Y from 'yjs'
import type { Handler } from './adapters/executors/run.js'
import type { NodeId } from './core/ids.js'
import type { Health } from './core/member.js'
import type { MemberEvent, StateEvent, TaskEvent } from './core/mesh-event.js'
import type { Explanation, Move } from './core/tasks/explain.js'
import type { TaskSpec } from './core/tasks/spec.js'
import type { TaskView } from './core/tasks/views.js'
import { composeNode } from './runtime/compose.js'
import { type ApiServer, serveApi } from './runtime/compose-api.js'
import type { JournalEvent } from './runtime/journal.js'
import type { MemberInfo, NodeInfo } from './runtime/member-info.js'
import { callChecks, type ListenKind, type NodeOptions, settingsOf } from './runtime/options.js'
import type { RunningNode } from './runtime/running-node.js'
import type { Space } from './runtime/spaces.js'

export type { Handler, TaskContext, TaskSpace } from './adapters/executors/run.js'
export { ShoalError } from './core/errors.js'
export type { NodeId } from './core/ids.js'
export type { Json } from './core/json.js'
export type { Cause, Health, Verdict } from './core/member.js'
export type { MemberEvent, StateEvent, TaskEvent } from './core/mesh-event.js'
export type { Explanation, Move } from './core/tasks/explain.js'
export type { TaskRun, TaskSpec, TaskWhen } from './core/tasks/spec.js'
export type { TaskView } from './core/tasks/views.js'
export type { JournalEvent } from './runtime/journal.js'
export type { MemberInfo, NodeInfo } from './runtime/member-info.js'
export type { NodeOptions } from './runtime/options.js'
export type { Space, SpaceChange, SpaceTransaction } from './runtime/spaces.js'

/** A task as it is declared: `id` and `run`, and what differs from the defaults. */
export type TaskDeclaration = Pick<TaskSpec, 'run'> & { readonly id: string } & Partial<
    Omit<TaskSpec, 'id' | 'run'>
  >

/** What a listener of `node.on` hears. */
export interface NodeEvents {
  readonly member: MemberEvent & Numbered
  readonly task: TaskEvent & Numbered
  readonly state: StateEvent & Numbered
  /** Of the members: how each is, and why it is not well. */
  readonly health: MemberEvent & Numbered
}
type Numbered = Pick<JournalEvent, 'seq'>

/** A node of a mesh, running in this process. */
export interface ShoalNode {
  /** Its PeerId. */
  readonly id: NodeId
  /** Where its HTTP interface listens, `HOST:PORT`, or null. */
  readonly api: string | null
  /** What this node says of itself. */
  self(): NodeInfo
  /** Every member as this node sees it, itself included. */
  members(): MemberInfo[]
  /**
   * Calls back with events of one kind; returns its cancellation. A listener that throws is told once more
   * all the same; what it threw is in the log, or is a warning of the process where nothing is logged.
   */
  on<Kind extends keyof NodeEvents>(kind: Kind, listener: (event: NodeEvents[Kind]) => void): () => void
  /** The last 10,000 events, newest last; after a number, if one is given. */
  events(since?: number): readonly JournalEvent[]
  /** Makes a function available to tasks as `{handler: name}`; returns its removal. */
  handle(name: string, handler: Handler): () => void
  /** What runs in the mesh, whoever runs it. */
  readonly tasks: {
    /** Declares or changes a task; resolves with the stored spec when it is durable here. */
    put(spec: TaskDeclaration): Promise<TaskView>
    /** A task with its copies and, for `once`, its result; null when there is none. */
    get(id: string): TaskView | null
    /** Every task, by id. */
    list(): readonly TaskView[]
    /** Removes a task; its copies stop. Resolves when that is durable here. */
    delete(id: string): Promise<void>
    /** Why each member was or was not chosen; null when there is no such task. */
    why(id: string): Explanation | null
    /** Starts every copy anew; resolves when that is durable here. */
    restart(id: string): Promise<void>
  }
  /** What would move if these members were lost. */
  plan(options: { readonly without: readonly string[] }): { readonly moves: readonly Move[] }
  /** A named piece of shared state; throws where the name is none, or none that this node holds. */
  space(name: string): Space
  /**
   * A Y.Doc, synchronised and persisted. One of up to 2,000 structs stands filled when it is returned;
   * a larger one is filled over many turns of the event loop: `await doc.whenLoaded` (or `whenSynced`,
   * which means the same: all that this node has is there) before you read it or bind an editor to it.
   * What is written before that counts, too, but may be decided against what was there already, and each
   * opening that does so leaves some 25 bytes in the document for good. After 256 of them the document is filled in
   * the call that opens it, however large it is, and with a warning in the log: 4 MB can take seconds. A document that is destroyed, or whose
   * node stops, before it is filled never says that it is loaded.
   *
   * A change that is refused (past 4 MB, say) destroys it, for nothing after that change could reach
   * anybody: opened again, it is as the mesh has it.
   */
  document(name: string): Y.Doc
  /** A device's word on its own health; `ok` takes it back. */
  report(source: string, level: Health, reason: string): void
  /** Addresses of members to ask, tried until there is company. */
  join(addresses: readonly string[]): Promise<void>
  /** Gives the tasks away, or takes them again. */
  drain(on: boolean): Promise<void>
  /** Says goodbye and stops. */
  leave(): Promise<void>
  /** Just stops. */
  close(): Promise<void>
}

/** Starts a node; resolves when it is ready. It waits for no other node. */
export const createNode = async (options: NodeOptions = {}): Promise<ShoalNode> => {
  const settings = settingsOf(options)
  const composed = await composeNode(settings)
  const { node, handlers } = composed
  let server: ApiServer | null = null
  try {
    // Before the node starts: what it runs from its first moment on is told where the interface is.
    if (options.api) server = await serveApi(composed, options.api, settings)
    await node.start(settings.join)
  } catch (error) {
    await server?.close()
    await node.close()
    throw error
  }
  node.onStopped(() => void server?.close())
  for (const text of [...composed.warnings, server?.warning ?? null])
    if (text !== null) composed.log.warn(text)
  return {
    id: node.id,
    api: server?.address ?? null,
    self: () => node.info(),
    members: () => node.members(),
    on: (kind, listener) => listen(node, kind, listener),
    events: (since = 0) => {
      callChecks.events(since)
      return node.journal.since(since)
    },
    handle: (name, handler) => handlers.register(name, handler),
    tasks: {
      put: spec => node.tasks.put(spec),
      get: id => node.tasks.get(id),
      list: () => node.tasks.list(),
      delete: id => node.tasks.delete(id),
      why: id => node.tasks.why(id),
      restart: id => node.tasks.restart(id),
    },
    plan: asked => {
      callChecks.plan(asked)
      return node.tasks.plan(asked.without)
    },
    space: name => node.space(name),
    document: name => node.document(name),
    report: (source, level, reason) => {
      callChecks.report(source, level, reason)
      node.report(source, level, reason)
    },
    join: async addresses => {
      callChecks.join(addresses)
      node.join(addresses)
    },
    drain: async on => {
      callChecks.drain(on)
      await node.drain(on)
    },
    leave: () => node.leave(),
    close: () => node.close(),
  }
}

const listen = <Kind extends ListenKind>(
  node: RunningNode,
  kind: Kind,
  listener: (event: NodeEvents[Kind]) => void,
) => {
  callChecks.on(kind, listener)
  return node.journal.subscribe(node.journal.lastSeq, event => {
    const isHealth = event.kind === 'member.health'
    if (kind === 'health' ? isHealth : event.kind.startsWith(`${kind}.`)) listener(event as NodeEvents[Kind])
  })
}
