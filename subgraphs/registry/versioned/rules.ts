/** What the deploys of generators and verifiers have in common. Pure, so that every door can check with the same words. */
import { z } from 'zod';
import { wants } from '../../../platform/rules.js';

export const NAME = /^[a-z0-9-]{1,128}$/;
export const DESCRIPTION_LENGTH = 2_000;

export const nameRule = z
  .string(wants('must be a text'))
  .regex(NAME, 'must be 1 to 128 lowercase letters, digits and hyphens');

export const descriptionRule = z
  .string(wants('must be a text'))
  .max(DESCRIPTION_LENGTH, `must have at most ${DESCRIPTION_LENGTH} characters`);

export const versionRule = z
  .number(wants('must be a whole number from 1'))
  .int('must be a whole number from 1')
  .min(1, 'must be a whole number from 1')
  .max(999_999_999, 'must be a whole number from 1');
