// The OpenAPI document, made of the operations and of the shapes of what they carry.

import { HTTP_LIMITS } from './limits.js'
import type { Operation, Schema } from './operations.js'
import { SCHEMAS } from './schemas.js'

const error = (text: string): Schema => ({
  description: text,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
})

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'the request is not as described; the message names the field, the value and what is accepted',
  401: 'a token is needed, or the one given is none of this node',
  403: 'not by this caller: Host or Origin, a reserved space, the token of another task',
  404: 'there is no such thing here',
  409: 'the state of things forbids it: ambiguous, alive, fenced, too many',
  413: 'too large',
  415: 'not JSON',
  503: 'not now',
  504: 'its owner does not answer (OWNER_UNREACHABLE)',
}
/** Every operation may be refused so. */
const ALWAYS = [400, 401, 403, 503]

const VIEW_AGE: Schema = {
  description: 'Milliseconds since this node last heard from a neighbor, or since its start if it never did',
  schema: { type: 'integer', minimum: 0 },
}

const pathParameters = (path: string): Schema[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1 },
    description: path.startsWith('/v1/members')
      ? 'an id, a unique prefix of one (8 or more), or a name'
      : name,
  }))

const show = (operation: Operation): Schema => {
  const { answer, body } = operation
  const isMesh = operation.path.startsWith('/v1/')
  const content =
    answer.schema !== undefined
      ? { 'application/json': { schema: answer.schema } }
      : answer.type !== undefined
        ? { [answer.type]: { schema: { type: 'string' } } }
        : null
  const refusals = [...new Set([...ALWAYS, ...operation.refusals])].sort((a, b) => a - b)
  return {
    operationId: operation.id,
    summary: operation.summary,
    parameters: [
      ...pathParameters(operation.path),
      ...(operation.query ?? []).map(({ name, description, least, most }) => ({
        name,
        in: 'query',
        description,
        schema: { type: 'integer', minimum: least, maximum: most },
      })),
      ...(operation.id === 'listEvents'
        ? [
            {
              name: 'Last-Event-ID',
              in: 'header',
              description: 'The id of the last event that was seen; a stream goes on after it',
              schema: { type: 'string', pattern: '^\\d+-\\d+$' },
            },
          ]
        : []),
    ],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            description: `${HTTP_LIMITS[body.limit]} bytes at most`,
            content: { 'application/json': { schema: body.schema } },
          },
        }),
    responses: {
      [answer.status]: {
        description: answer.text,
        ...(isMesh ? { headers: { 'Shoal-View-Age-Ms': VIEW_AGE } } : {}),
        ...(content === null
          ? {}
          : operation.id === 'listEvents'
            ? { content: { ...content, 'text/event-stream': { schema: { type: 'string' } } } }
            : { content }),
      },
      ...Object.fromEntries(
        refusals.map(status => [
          status,
          operation.id === 'isReady' && status === 503
            ? {
                description: 'it does not, or not any more',
                content: { 'application/json': { schema: { $ref: '#/components/schemas/Ready' } } },
              }
            : error(REFUSALS[status] ?? 'refused'),
        ]),
      ),
    },
    security: operation.openness === 'mesh' ? [{}, { token: [] }] : [],
  }
}

export const openApi = (version: string, operations: readonly Operation[]): Schema => {
  const paths: Record<string, Record<string, Schema>> = {}
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method.toLowerCase()]: show(operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Shoal',
      version,
      description:
        "A node of a Shoal mesh, as seen from outside. Times are milliseconds since 1970, sizes bytes. With a mesh key every request but GET needs the node's token; an API beyond loopback needs it for all but the page and the probes.",
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: SCHEMAS,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'the file api.token in the data folder' },
      },
    },
  }
}
