// Makes the replica set and a user per service that may read and write its own database and nothing else. Every part
// looks first whether it is done, so that it can run at each start. Run by mongosh next to the first member.
const passwords = JSON.parse(require('node:fs').readFileSync('/run/secrets/mongodb-passwords', 'utf8'));
const options = 'directConnection=true&tls=true&tlsCAFile=/run/millrace/tls/ca.crt';
const address = `mongodb://localhost:27017/?${options}`;
const members = ['mongodb-1:27017', 'mongodb-2:27017', 'mongodb-3:27017'];

const within = (seconds, what, attempt) => {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = attempt();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    sleep(500);
  }
};

const open = () => {
  // Before the first user is made, a connection from this machine may do so without one.
  const connection = new Mongo(address);
  const admin = connection.getDB('admin');
  try {
    admin.auth('root', passwords.root);
  } catch {
    print('no user yet');
  }
  return admin;
};

const admin = open();
if (admin.runCommand({ hello: 1 }).setName === undefined) {
  // The first member is preferred, so that it is the one on which the first user can be made.
  const config = members.map((host, _id) => ({ _id, host, priority: _id === 0 ? 2 : 1 }));
  admin.adminCommand({ replSetInitiate: { _id: 'millrace', members: config } });
}
const primary = within(60, 'a primary', () => admin.runCommand({ hello: 1 }).primary);

// After a later start another member may be the primary: users are made there, with what is known to it by then.
const target =
  primary === members[0] ? admin : new Mongo(`mongodb://root:${passwords.root}@${primary}/admin?${options}`).getDB('admin');
try {
  target.auth('root', passwords.root);
} catch {
  target.createUser({ user: 'root', pwd: passwords.root, roles: ['userAdminAnyDatabase', 'clusterMonitor'] });
  target.auth('root', passwords.root);
}
for (const [service, pwd] of Object.entries(passwords)) {
  if (service === 'root') continue;
  const database = `millrace_${service}`;
  const own = target.getSiblingDB(database);
  const user = { pwd, roles: [{ role: 'readWrite', db: database }] };
  if (own.getUser(service) === null) own.createUser({ user: service, ...user });
  else own.updateUser(service, user);
}
print('the replica set and its users are ready');
