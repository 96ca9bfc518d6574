import type { ValidateFunction } from 'ajv/dist/2020.js';

/** Of the whole schema. */
export const validateRecipe: ValidateFunction;
/** Of its data contract. */
export const validateContract: ValidateFunction;
