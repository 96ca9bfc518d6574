package millrace;

import java.net.InetSocketAddress;
import java.util.List;

import org.h2.mvstore.MVStore;

import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;

/**
 * Starts the server on the loopback interface and prints its port. Arguments: the port (0 for any free one) and
 * the file to keep the data in; without it they are in memory. Ends when its standard input does, so that it
 * never outlives the test that started it.
 */
public final class MongoServerMain {
    private MongoServerMain() {
    }

    public static void main(String[] arguments) throws Exception {
        CodePointOrder.install();
        String file = arguments.length > 1 ? arguments[1] : null;
        // Written by the backend alone, and at once: the store's own threads would do it some time later.
        MVStore store = new MVStore.Builder().fileName(file).autoCommitDisabled().open();
        Backend backend = new Backend(store, file != null);
        backend.version(new Mongo44());
        MongoServer server = new MongoServer(backend);
        server.bind(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])));
        System.out.println("port " + server.getLocalAddress().getPort());
        while (System.in.read() != -1) {
            // Nothing is said here; only the end counts.
        }
        server.shutdownNow();
        System.exit(0);
    }

    /** The oldest version that the driver speaks to. */
    private static final class Mongo44 implements MongoVersion {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(4, 4, 0);
        }

        @Override
        public int getWireVersion() {
            return 9;
        }
    }
}
