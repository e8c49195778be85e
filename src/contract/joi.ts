import Joi from 'joi';

/**
 * The schema library of this package, for contracts: `Joi.object({ … })`. It is the version that
 * reads them, and is present even where a package manager hides the dependencies of packages.
 *
 * @see https://joi.dev/api
 */
export { Joi };
