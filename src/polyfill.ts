// Node 20 lacks `Promise.withResolvers`, which libp2p 3 calls. Composition roots
// import this file before anything else; when Node 20 is no longer supported,
// delete it and those imports, nothing else depends on it.

interface Resolvers<T> {
  promise: Promise<T>
  resolve: (value: T | PromiseLike<T>) => void
  reject: (reason?: unknown) => void
}

const promises = Promise as unknown as { withResolvers?: <T>() => Resolvers<T> }

promises.withResolvers ??= function withResolvers<T>(this: PromiseConstructor): Resolvers<T> {
  const resolvers = {} as Resolvers<T>
  resolvers.promise = new Promise<T>((resolve, reject) => {
    resolvers.resolve = resolve
    resolvers.reject = reject
  })
  return resolvers
}

export {}
