// An application without a server: this page is all there is of it. The test sets SETTINGS.
const manager = new oidc.UserManager({
  ...SETTINGS,
  userStore: new oidc.WebStorageStateStore({ store: localStorage }),
  // A key that the browser keeps and does not let out; from the code on, nothing is good without.
  dpop: SETTINGS.bound && {
    bind_authorization_code: true,
    store: new oidc.IndexedDbDPoPStore(),
  },
});

function show(text) {
  document.title = text;
}

async function arrive() {
  const user = await manager.signinCallback();
  if (user) show(`signed in as ${user.profile.sub}`);
}

if (location.pathname === "/signed-out") {
  manager.signoutCallback().then(({ userState }) => show(`signed out, ${userState}`));
}

if (location.pathname === "/callback") {
  arrive().catch((error) => show(`refused: ${error.message}`));
}
