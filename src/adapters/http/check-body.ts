// Holds a body against the schema of its operation: the few words of JSON Schema that our
// own operations use, with errors that name the field, the value and what is accepted.
// What a task may be is the core's business (`parseSpec`), whose sentences are better.

import { invariant } from '../../core/errors.js'
import { HttpError } from './failure.js'
import type { Schema } from './operations.js'
import { show, showValue } from './target.js'

export const checkBody = (value: unknown, schema: Schema, field = 'the body'): void => {
  if (schema.$ref !== undefined || schema.type === undefined) return
  switch (schema.type) {
    case 'object':
      checkObject(value, schema, field)
      return
    case 'array': {
      const most = schema.maxItems as number
      const least = (schema.minItems as number | undefined) ?? 0
      if (!Array.isArray(value) || value.length < least || value.length > most) {
        refuse(field, value, `a list of ${least} to ${most}`)
        return
      }
      value.forEach((item, i) => void checkBody(item, schema.items as Schema, `${field}[${i}]`))
      return
    }
    case 'string': {
      const most = (schema.maxLength as number | undefined) ?? 4_096
      const pattern = new RegExp((schema.pattern as string | undefined) ?? '', 'u')
      const isFine = typeof value === 'string' && value !== '' && value.length <= most && pattern.test(value)
      if (!isFine)
        refuse(field, value, `a text of 1 to ${most} characters${schema.pattern ? ' without spaces' : ''}`)
      return
    }
    case 'boolean':
      if (typeof value !== 'boolean') refuse(field, value, 'true or false')
      return
    default:
      invariant(false, `no schema of ours has the type ${String(schema.type)}`)
  }
}

const checkObject = (value: unknown, schema: Schema, field: string): void => {
  const properties = schema.properties as Readonly<Record<string, Schema>>
  const known = Object.keys(properties)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(field, value, `an object with ${known.join(', ')}`)
    return
  }
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) {
      const message = `${field} has the unknown field ${show(name)}; accepted are ${known.join(', ')}`
      throw new HttpError(400, 'FIELD_UNKNOWN', message)
    }
  }
  for (const [name, inner] of Object.entries(properties)) {
    checkBody(Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined, inner, name)
  }
}

const refuse = (field: string, value: unknown, accepted: string): void => {
  throw new HttpError(400, 'FIELD_INVALID', `${field} is ${showValue(value)}; ${accepted} is accepted`)
}
