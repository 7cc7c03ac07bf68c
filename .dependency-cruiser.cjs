// Which part of the house may know which (src/README.md has the picture). Imports of
// types count as well: a layer that names another's types depends on it.

const PORTS = '^src/ports\\.ts$'
const POLYFILL = '^src/polyfill'
/** Where the parts are put together: the only places that know both runtime and adapters. */
const COMPOSITION = '^src/(index\\.ts$|cli\\.ts$|cli/|daemon/|demo/|runtime/compose)'

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

module.exports = {
  forbidden: [
    forbid(
      'core-is-closed',
      'The core imports itself, yjs and lib0; of the ports it may name types.',
      { path: '^src/core/' },
      { pathNot: ['^src/core/', PORTS, '(^|/)node_modules/(yjs|lib0)/'] },
    ),
    forbid(
      'core-names-ports-only-as-types',
      'A port is performed outside; the core may only name its type.',
      { path: '^src/core/' },
      { path: PORTS, dependencyTypesNot: ['type-only', 'pre-compilation-only'] },
    ),
    forbid(
      'ports-know-the-core-only',
      'The seams speak the language of the core and of nothing else.',
      { path: PORTS },
      { pathNot: ['^src/core/'] },
    ),
    forbid(
      'adapters-do-not-meet',
      'One adapter (a file or folder right under src/adapters) never imports another.',
      { path: '^src/adapters/([^/.]+)' },
      { path: '^src/adapters/', pathNot: ['^src/adapters/$1(/|\\.)'] },
    ),
    forbid(
      'adapters-look-down',
      'An adapter knows the ports and the core.',
      { path: '^src/adapters/' },
      { path: '^(src|devices|test)/', pathNot: ['^src/adapters/', '^src/core/', PORTS, POLYFILL] },
    ),
    forbid(
      'adapters-are-chosen-in-one-place',
      'Only the composition knows which adapter fills which port.',
      { path: '^src/', pathNot: ['^src/adapters/', COMPOSITION] },
      { path: '^src/adapters/' },
    ),
    forbid(
      'runtime-looks-down',
      'The runtime knows the ports and the core.',
      { path: '^src/runtime/', pathNot: [COMPOSITION] },
      {
        path: '^(src|devices|test)/',
        pathNot: ['^src/runtime/', '^src/core/', '^src/adapters/', PORTS, POLYFILL],
      },
    ),
    forbid(
      'sim-looks-down',
      'The simulator knows the core and the ports; it is another world than the runtime.',
      { path: '^src/sim/' },
      { path: '^(src|devices|test)/', pathNot: ['^src/sim/', '^src/core/', PORTS, POLYFILL] },
    ),
    forbid(
      'sim-has-no-network',
      'What the simulator simulates it must not have.',
      { path: '^src/sim/' },
      {
        path: [
          '^(node:)?(net|tls|dgram|dns|http|https|http2|inspector)(/|$)',
          '(^|/)node_modules/(libp2p|@libp2p|@chainsafe|@multiformats)/',
        ],
      },
    ),
    forbid(
      'dashboard-is-alone',
      'The page knows the HTTP API and nothing else of the house.',
      { path: '^src/dashboard/' },
      { path: '^(src|devices|test)/', pathNot: ['^src/dashboard/'] },
    ),
    forbid(
      'nobody-imports-the-dashboard',
      'The page is an asset, bundled and served; it is not part of the program.',
      { path: '^src/', pathNot: ['^src/dashboard/'] },
      { path: '^src/dashboard/' },
    ),
    forbid(
      'devices-use-the-library',
      'Devices are written as a user would write them: against src/index.ts.',
      { path: '^devices/' },
      { path: '^(src|test)/', pathNot: ['^src/index\\.ts$'] },
    ),
    forbid(
      'product-without-tests',
      'What is shipped imports neither tests nor devices.',
      { path: '^src/' },
      { path: '^(test|devices)/' },
    ),
    forbid(
      'product-without-development-packages',
      'What is shipped runs with the packages that are installed with it.',
      { path: '^src/', pathNot: ['^src/dashboard/'] },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    ),
    forbid('resolvable', 'Every import leads somewhere.', {}, { couldNotResolve: true }),
    forbid(
      'no-circles',
      'Modules that import each other cannot be read one after the other. Types may.',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
