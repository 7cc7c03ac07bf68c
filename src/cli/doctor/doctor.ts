export const doctor = async (_flags: object): Promise<void> => {}
