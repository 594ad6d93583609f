/** Who may see which template. A template that can be found is everybody's to read; any other is its owner's alone. */
import { Problem } from '../../../platform/errors.js';
import { type Caller, requireCaller, type Scope } from '../../../platform/scope.js';
import type { TemplateDocument } from './template.model.js';

export function isOwner({ caller }: Scope, { ownerId }: Pick<TemplateDocument, 'ownerId'>): boolean {
  return caller?.userId === ownerId;
}

export function mayRead(scope: Scope, template: Pick<TemplateDocument, 'ownerId' | 'listed'>): boolean {
  return template.listed === true || isOwner(scope, template);
}

export function templateNotFound(): Problem {
  return new Problem('not_found', 'template not found');
}

/** For templates that the caller may read: to others there is nothing to own. */
export function requireOwner(scope: Scope, template: Pick<TemplateDocument, 'ownerId'>): Caller {
  const caller = requireCaller(scope);
  if (!isOwner(scope, template)) throw new Problem('forbidden', 'Only the owner of the template may do this.');
  return caller;
}
