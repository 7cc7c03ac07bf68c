#!/bin/sh
# Makes src/adapters/wire/message.generated.ts from message.proto. What protons writes
# is TypeScript of another dialect (namespaces), so it is not checked, and one import
# that is only needed for Node's pooled buffers is replaced.
set -eu
cd "$(dirname "$0")/../src/adapters/wire"
../../../node_modules/.bin/protons message.proto
sed -e '1i // @ts-nocheck' \
    -e 's#^import { alloc as uint8ArrayAlloc.*#const uint8ArrayAlloc = (length: number) => new Uint8Array(length)#' \
    -e 's#<ArrayBuffer>##' message.ts > message.generated.ts
rm message.ts
