// Finds the operation of a path. One pass over the pieces of each path of its length:
// there are some thirty, and a table of them is as quick as anything cleverer.

import { HttpError } from './failure.js'
import type { Method, Operation } from './operations.js'
import { show } from './target.js'

interface PathRoutes {
  readonly pieces: readonly string[]
  readonly byMethod: ReadonlyMap<Method, Operation>
}

const pathsOf = (operations: readonly Operation[]): readonly PathRoutes[] => {
  const paths = new Map<string, Map<Method, Operation>>()
  for (const operation of operations) {
    const known = paths.get(operation.path) ?? new Map<Method, Operation>()
    paths.set(operation.path, known.set(operation.method, operation))
  }
  return [...paths].map(([path, byMethod]) => ({ pieces: path.slice(1).split('/'), byMethod }))
}

const isVariable = (piece: string): boolean => piece.startsWith('{')

const find = (paths: readonly PathRoutes[], segments: readonly string[]): PathRoutes | undefined =>
  paths.find(
    ({ pieces }) =>
      pieces.length === segments.length &&
      pieces.every((piece, i) => (isVariable(piece) ? segments[i] !== '' : piece === segments[i])),
  )

const allowOf = (methods: Iterable<string>): string => {
  const all = [...methods]
  return (all.includes('GET') ? ['GET', 'HEAD', ...all.filter(method => method !== 'GET')] : all).join(', ')
}

export interface Found {
  readonly operation: Operation
  readonly values: Readonly<Record<string, string>>
}

export type Router = (method: string, segments: readonly string[], path: string) => Found

/** Finds the operation and the values of its path, or refuses and says what would be accepted. */
export const createRouter = (operations: readonly Operation[]): Router => {
  const paths = pathsOf(operations)
  return (method, segments, path) => {
    const found = find(paths, segments)
    if (found === undefined) {
      const message = `there is nothing at ${show(path)}; /v1/openapi.json lists what there is`
      throw new HttpError(404, 'NOT_FOUND', message)
    }
    const operation = found.byMethod.get((method === 'HEAD' ? 'GET' : method) as Method)
    if (operation === undefined) {
      const allow = allowOf(found.byMethod.keys())
      const message = `${show(path)} does not know ${method}; accepted: ${allow}`
      throw new HttpError(405, 'METHOD_NOT_ALLOWED', message, { Allow: allow })
    }
    const values: Record<string, string> = {}
    found.pieces.forEach((piece, i) => {
      if (isVariable(piece)) values[piece.slice(1, -1)] = segments[i] as string
    })
    return { operation, values }
  }
}
