// Makes or renews a user of MongoDB for each service: it may read and write its own database, and nothing else.
//
//   MILLRACE_MONGODB_PASSWORDS=<directory> mongosh '<address>' --username <administrator> --file infra/mongodb/create-users.js
//
// The directory holds one file per service, named after it, with its password: as a mounted Kubernetes secret looks, or
// what `openssl rand -base64 24 > passwords/ingest` makes. Who runs this needs the role userAdminAnyDatabase. Safe to
// repeat: a user that is there gets the password of its file and these roles, and those that it had besides are taken.
const { readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

const directory = process.env.MILLRACE_MONGODB_PASSWORDS;
if (!directory) throw new Error('MILLRACE_MONGODB_PASSWORDS must name the directory of the passwords');

/** A mounted secret has entries that begin with a dot besides those of its keys. */
const services = readdirSync(directory).filter((name) => !name.startsWith('.'));
const wrong = services.filter((name) => !/^[a-z][a-z0-9-]{0,62}$/.test(name));
if (wrong.length > 0) throw new Error(`no names of services: ${wrong.join(', ')}`);
if (services.length === 0) throw new Error(`${directory} holds no passwords`);

// All are read before the first user is made: a bad one changes nothing.
const passwords = services.map((service) => {
  const password = readFileSync(join(directory, service), 'utf8').replace(/\r?\n$/, '');
  if (password.length < 16) throw new Error(`the password of ${service} is shorter than 16 characters`);
  return [service, password];
});

for (const [service, pwd] of passwords) {
  const database = `millrace_${service}`;
  const own = db.getSiblingDB(database);
  const user = { pwd, roles: [{ role: 'readWrite', db: database }], mechanisms: ['SCRAM-SHA-256'] };
  if (own.getUser(service) === null) {
    own.createUser({ user: service, ...user });
    print(`${service}: made, for ${database}`);
  } else {
    own.updateUser(service, user);
    print(`${service}: renewed, for ${database}`);
  }
}
