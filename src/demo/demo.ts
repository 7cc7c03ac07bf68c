export const demo = async (_options: object): Promise<number> => 0
