import type DataLoader from 'dataloader';
import type { Scope } from '../../platform/scope.js';
import type { GeneratorDocument } from './generator/generator.model.js';
import type { GeneratorService } from './generator/generator.service.js';

export interface RegistryContext {
  scope: Scope;
  generators: GeneratorService;
  generatorLoader: DataLoader<string, GeneratorDocument | null>;
}
