// The door to the node: JSON over `fetch` with the token as bearer, a time limit on every
// request, and errors that say whether the node did not answer or answered no. The token
// lives in this tab's session storage and never in an address.

export class ApiError extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** The node did not answer: not reached, too slow, or not this API. */
export class Unreachable extends Error {}

export const isTokenMissing = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.status === 401 || (error.status === 403 && /TOKEN|UNAUTH/.test(error.code)))

const TOKEN_KEY = 'shoal.token'
const REQUEST_TIMEOUT_MS = 5_000

export interface Answer {
  readonly status: number
  readonly body: unknown
  /** How old the node's view of the mesh is; null where the answer does not say. */
  readonly viewAgeMs: number | null
  /** The node's clock when it answered, to the second; null where the answer does not say. */
  readonly nodeAt: number | null
}

/** Takes `#token=…` out of the address, so that it is neither shown nor kept in the history. */
export const takeTokenFromHash = (): void => {
  const match = /^#token=([^&]+)/.exec(location.hash)
  if (match === null) return
  try {
    setToken(decodeURIComponent(match[1] ?? ''))
  } catch {
    setToken(match[1] ?? '')
  }
  history.replaceState(null, '', `${location.pathname}${location.search}#/`)
}

let held: string | null = null

export const getToken = (): string | null => {
  if (held !== null) return held
  try {
    return sessionStorage.getItem(TOKEN_KEY)
  } catch {
    return null
  }
}

export const setToken = (token: string): void => {
  held = token.trim()
  try {
    sessionStorage.setItem(TOKEN_KEY, held)
  } catch {
    // Storage can be forbidden; then the token lasts as long as the page.
  }
}

const headers = (more: Record<string, string>): Record<string, string> => {
  const token = getToken()
  return token === null || token === '' ? more : { ...more, authorization: `Bearer ${token}` }
}

export const call = async (
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
  timeoutMs = REQUEST_TIMEOUT_MS,
): Promise<Answer> => {
  let response: Response
  let text: string
  try {
    response = await fetch(path, {
      method,
      headers: headers(
        body === undefined
          ? { accept: 'application/json' }
          : { accept: 'application/json', 'content-type': 'application/json' },
      ),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    text = await response.text()
  } catch (error) {
    throw new Unreachable(error instanceof Error ? error.message : String(error))
  }
  const parsed = parse(text)
  if (response.ok) {
    if (parsed === undefined && text !== '') throw new Unreachable(`${path} did not answer with JSON`)
    const nodeAt = Date.parse(response.headers.get('date') ?? '')
    return {
      status: response.status,
      body: parsed,
      viewAgeMs: viewAgeOf(response),
      nodeAt: Number.isFinite(nodeAt) ? nodeAt : null,
    }
  }
  const { code, message } = ((parsed as { error?: unknown } | undefined)?.error ?? {}) as Record<
    string,
    unknown
  >
  // A proxy before the node says so with these; the node itself names its reason.
  if (code === undefined && [502, 503, 504].includes(response.status))
    throw new Unreachable(`answered ${response.status}`)
  throw new ApiError(
    response.status,
    typeof code === 'string' ? code : '',
    typeof message === 'string' ? message : `${method} ${path} answered ${response.status}`,
  )
}

/** Opens the live events; the caller reads the body. */
export const openEvents = async (resume: string | null, signal: AbortSignal): Promise<Response> => {
  const more: Record<string, string> = { accept: 'text/event-stream' }
  if (resume !== null) more['last-event-id'] = resume
  let response: Response
  try {
    response = await fetch('/v1/events', {
      headers: headers(more),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal,
    })
  } catch (error) {
    throw new Unreachable(error instanceof Error ? error.message : String(error))
  }
  if (response.ok && response.body !== null) return response
  await response.body?.cancel()
  throw new ApiError(response.status, '', `the events answered ${response.status}`)
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const viewAgeOf = (response: Response): number | null => {
  const header = response.headers.get('shoal-view-age-ms')
  const age = header === null || header === '' ? Number.NaN : Number(header)
  return Number.isFinite(age) && age >= 0 ? age : null
}
