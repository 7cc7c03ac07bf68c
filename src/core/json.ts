// JSON values, as users store them in spaces and hand them to tasks.

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

/** Canonical text: keys in order, so that equal values have equal texts. */
export const canonicalJson = (value: Json): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (value !== null && typeof value === 'object') {
    const object = value as JsonObject
    const fields = Object.keys(object).sort()
    return `{${fields.map(key => `${JSON.stringify(key)}:${canonicalJson(object[key] as Json)}`).join(',')}}`
  }
  return JSON.stringify(value)
}
