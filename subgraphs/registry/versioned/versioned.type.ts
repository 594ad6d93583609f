import { registerEnumType } from 'type-graphql';
import { VersionedStatus } from './versioned.model.js';

registerEnumType(VersionedStatus, {
  name: 'VersionedStatus',
  description: 'Whether a deployed thing can be used. What is revoked stays revoked.',
});

export { VersionedStatus };
