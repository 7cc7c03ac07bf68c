// The part of d3-force that the drawing uses; the package brings no types.

declare module 'd3-force' {
  export interface Body {
    readonly id: string
    x?: number
    y?: number
    vx?: number
    vy?: number
  }
  export interface Tie {
    source: unknown
    target: unknown
  }
  export type Force = (alpha: number) => void
  export interface AxisForce<B> extends Force {
    x(to: number | ((body: B) => number)): this
    y(to: number | ((body: B) => number)): this
    strength(of: number | ((body: B) => number)): this
  }
  export interface LinkForce<B> extends Force {
    id(of: (body: B) => string): this
    distance(of: number): this
    strength(of: number): this
  }
  export interface ManyBodyForce extends Force {
    strength(of: number): this
    distanceMax(of: number): this
  }
  export interface CollideForce extends Force {
    iterations(of: number): this
  }
  export interface Simulation<B> {
    tick(count?: number): this
    stop(): this
    alpha(): number
    alpha(to: number): this
    alphaDecay(to: number): this
    nodes(): B[]
    nodes(to: readonly B[]): this
    force(name: string, force: Force | null): this
  }
  export function forceSimulation<B extends Body>(bodies?: readonly B[]): Simulation<B>
  export function forceLink<B extends Body>(ties: readonly Tie[]): LinkForce<B>
  export function forceManyBody(): ManyBodyForce
  export function forceCollide(radius: number): CollideForce
  export function forceX<B extends Body>(to?: number | ((body: B) => number)): AxisForce<B>
  export function forceY<B extends Body>(to?: number | ((body: B) => number)): AxisForce<B>
}
