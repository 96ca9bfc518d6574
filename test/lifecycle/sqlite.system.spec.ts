import { lifeOfAModel } from './life-of-a-model.ts';

lifeOfAModel();
