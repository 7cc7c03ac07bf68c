// Every route of the contract (section 5) as data: what it is called, what it takes, what
// it answers. The router, the checks of parameters and bodies, and the OpenAPI document
// are all made of this one list, so that they cannot disagree.

import type { Openness } from './guard.js'
import { HTTP_LIMITS } from './limits.js'

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

/** A JSON Schema, as OpenAPI 3.1 has it. */
export type Schema = { readonly [key: string]: unknown }

export interface QueryParameter {
  readonly name: string
  readonly description: string
  readonly least: number
  readonly most: number
}

export interface Operation {
  readonly id: string
  readonly method: Method
  /** `{name}` stands for one piece of the path. */
  readonly path: string
  readonly summary: string
  readonly openness: Openness
  readonly query?: readonly QueryParameter[]
  /** What a body may be and which limit it has. */
  readonly body?: {
    readonly schema: Schema
    readonly limit: 'valueBytesMax' | 'taskBytesMax' | 'bodyBytesMax'
  }
  /** The answer when all is well: its status, and its shape if it has one. */
  readonly answer: {
    readonly status: number
    readonly schema?: Schema
    readonly type?: string
    readonly text: string
  }
  /** Statuses of refusals that belong to this operation; those of all are added to the document. */
  readonly refusals: readonly number[]
  /** Whether a task's own token opens it. */
  readonly copies?: true
}

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })
const listOf = (items: Schema): Schema => ({ type: 'array', items })
const anything: Schema = { description: 'any JSON' }
const { logLinesMax, listMax } = HTTP_LIMITS

export const OPERATIONS: readonly Operation[] = [
  {
    id: 'getSelf',
    method: 'GET',
    path: '/v1/self',
    summary: 'What this node says of itself',
    openness: 'mesh',
    answer: { status: 200, schema: ref('Self'), text: 'this node' },
    refusals: [],
  },
  {
    id: 'listMembers',
    method: 'GET',
    path: '/v1/members',
    summary: 'Every member as this node sees it, itself included',
    openness: 'mesh',
    answer: { status: 200, schema: listOf(ref('Member')), text: 'the members' },
    refusals: [],
  },
  {
    id: 'forgetMember',
    method: 'DELETE',
    path: '/v1/members/{id}',
    summary: 'Strike a member that will not return',
    openness: 'mesh',
    answer: { status: 204, text: 'it is forgotten' },
    refusals: [404, 409],
  },
  {
    id: 'listTasks',
    method: 'GET',
    path: '/v1/tasks',
    summary: 'The tasks and their copies',
    openness: 'mesh',
    answer: { status: 200, schema: listOf(ref('Task')), text: 'the tasks' },
    refusals: [],
  },
  {
    id: 'putTask',
    method: 'PUT',
    path: '/v1/tasks/{id}',
    summary: 'Declare or change a task; the same spec keeps its revision',
    openness: 'mesh',
    body: { schema: ref('TaskSpec'), limit: 'taskBytesMax' },
    answer: { status: 200, schema: ref('StoredTask'), text: 'the stored spec, defaults filled' },
    refusals: [409, 413, 415],
  },
  {
    id: 'getTask',
    method: 'GET',
    path: '/v1/tasks/{id}',
    summary: 'One task and its copies',
    openness: 'mesh',
    answer: { status: 200, schema: ref('Task'), text: 'the task' },
    refusals: [404],
  },
  {
    id: 'deleteTask',
    method: 'DELETE',
    path: '/v1/tasks/{id}',
    summary: 'Remove a task; its copies stop',
    openness: 'mesh',
    answer: { status: 204, text: 'it is removed' },
    refusals: [404],
  },
  {
    id: 'restartTask',
    method: 'POST',
    path: '/v1/tasks/{id}/restart',
    summary: 'Start every copy of a task anew',
    openness: 'mesh',
    answer: { status: 204, text: 'its owners were told' },
    refusals: [404],
  },
  {
    id: 'explainTask',
    method: 'GET',
    path: '/v1/tasks/{id}/why',
    summary: 'Why each member was or was not chosen',
    openness: 'mesh',
    answer: { status: 200, schema: ref('Explanation'), text: 'the explanation' },
    refusals: [404],
  },
  {
    id: 'getTaskLogs',
    method: 'GET',
    path: '/v1/tasks/{id}/logs',
    summary: 'The newest lines of its log, fetched from the nodes that run it; 256 KB at most',
    openness: 'mesh',
    query: [{ name: 'lines', description: 'How many lines at most; 200', least: 1, most: logLinesMax }],
    answer: { status: 200, schema: listOf(ref('LogLine')), text: 'the lines, newest last' },
    refusals: [404, 504],
  },
  {
    id: 'saveCheckpoint',
    method: 'PUT',
    path: '/v1/tasks/{id}/checkpoint',
    summary: 'Save the progress of the copy whose token is shown',
    openness: 'mesh',
    copies: true,
    body: { schema: anything, limit: 'valueBytesMax' },
    answer: { status: 204, text: 'it is durable' },
    refusals: [403, 409, 413, 415],
  },
  {
    id: 'plan',
    method: 'POST',
    path: '/v1/plan',
    summary: 'What would move if these members were lost',
    openness: 'mesh',
    body: {
      schema: {
        type: 'object',
        properties: {
          without: { type: 'array', items: { type: 'string', minLength: 1 }, maxItems: listMax },
        },
        required: ['without'],
        additionalProperties: false,
      },
      limit: 'bodyBytesMax',
    },
    answer: { status: 200, schema: ref('Plan'), text: 'the moves; `to` null: fits nowhere' },
    refusals: [404, 409, 413, 415],
  },
  {
    id: 'listSpaces',
    method: 'GET',
    path: '/v1/state',
    summary: 'The spaces of shared state',
    openness: 'mesh',
    answer: { status: 200, schema: listOf(ref('Space')), text: 'the spaces' },
    refusals: [],
  },
  {
    id: 'getSpace',
    method: 'GET',
    path: '/v1/state/{space}',
    summary: 'A whole space',
    openness: 'mesh',
    answer: { status: 200, schema: { type: 'object' }, text: 'values by key' },
    refusals: [404],
  },
  {
    id: 'getValue',
    method: 'GET',
    path: '/v1/state/{space}/{key}',
    summary: 'One value',
    openness: 'mesh',
    answer: { status: 200, schema: anything, text: 'the value' },
    refusals: [404],
  },
  {
    id: 'setValue',
    method: 'PUT',
    path: '/v1/state/{space}/{key}',
    summary: 'Set a value',
    openness: 'mesh',
    copies: true,
    body: { schema: anything, limit: 'valueBytesMax' },
    answer: { status: 204, text: 'it is durable' },
    refusals: [403, 404, 409, 413, 415],
  },
  {
    id: 'deleteValue',
    method: 'DELETE',
    path: '/v1/state/{space}/{key}',
    summary: 'Delete a key',
    openness: 'mesh',
    copies: true,
    answer: { status: 204, text: 'it is gone, and that is durable' },
    refusals: [403, 404, 409],
  },
  {
    id: 'listEvents',
    method: 'GET',
    path: '/v1/events',
    summary:
      'What happened, as this node saw it, the newest last. With `Accept: text/event-stream` live: from now on, or after `since` or `Last-Event-ID`',
    openness: 'mesh',
    query: [
      {
        name: 'since',
        description: 'Only what came after this number',
        least: 0,
        most: Number.MAX_SAFE_INTEGER,
      },
    ],
    answer: { status: 200, schema: listOf(ref('Event')), text: 'the events, or a stream of them' },
    refusals: [],
  },
  {
    id: 'join',
    method: 'POST',
    path: '/v1/join',
    summary: 'Addresses of members to ask, tried until there is company',
    openness: 'mesh',
    body: {
      schema: {
        type: 'object',
        properties: {
          addrs: {
            type: 'array',
            items: { type: 'string', minLength: 1, maxLength: 512, pattern: '^[!-~]+$' },
            minItems: 1,
            maxItems: listMax,
          },
        },
        required: ['addrs'],
        additionalProperties: false,
      },
      limit: 'bodyBytesMax',
    },
    answer: { status: 204, text: 'they are being tried' },
    refusals: [413, 415],
  },
  {
    id: 'drain',
    method: 'POST',
    path: '/v1/drain',
    summary: "Give this node's tasks away, or take some again",
    openness: 'mesh',
    body: {
      schema: {
        type: 'object',
        properties: { on: { type: 'boolean' } },
        required: ['on'],
        additionalProperties: false,
      },
      limit: 'bodyBytesMax',
    },
    answer: { status: 204, text: 'the others are being told' },
    refusals: [413, 415],
  },
  {
    id: 'leave',
    method: 'POST',
    path: '/v1/leave',
    summary: 'Hand the tasks over, say goodbye, stop',
    openness: 'mesh',
    answer: { status: 204, text: 'it has left' },
    refusals: [],
  },
  {
    id: 'isAlive',
    method: 'GET',
    path: '/healthz',
    summary: 'Whether the process is alive',
    openness: 'probe',
    answer: { status: 200, schema: ref('Alive'), text: 'it is' },
    refusals: [],
  },
  {
    id: 'isReady',
    method: 'GET',
    path: '/readyz',
    summary: 'Whether the node takes part in the mesh',
    openness: 'probe',
    answer: { status: 200, schema: ref('Ready'), text: 'it does' },
    refusals: [503],
  },
  {
    id: 'getMetrics',
    method: 'GET',
    path: '/metrics',
    summary: 'Metrics for Prometheus',
    openness: 'mesh',
    answer: { status: 200, type: 'text/plain', text: 'the metrics' },
    refusals: [],
  },
  {
    id: 'getOpenApi',
    method: 'GET',
    path: '/v1/openapi.json',
    summary: 'This document',
    openness: 'mesh',
    answer: { status: 200, schema: { type: 'object' }, text: 'an OpenAPI 3.1 document' },
    refusals: [],
  },
  {
    id: 'getPage',
    method: 'GET',
    path: '/',
    summary: 'The dashboard',
    openness: 'page',
    answer: { status: 200, type: 'text/html', text: 'a page' },
    refusals: [],
  },
]
