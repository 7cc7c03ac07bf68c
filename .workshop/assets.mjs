// Everything in dist/ that the compiler does not put there: bundles, pages, schemas.
// The setup calls it after each compilation; it has no step yet.
//
// To add one: read from `root`, write under `dist`, throw when it fails. It runs after
// the packages are installed, so import them here with `await import(...)`, inside the
// function: the setup loads this file before there are any.

export const buildAssets = async ({ root, dist }) => {
  void root
  void dist
}
