package millrace;

import java.util.List;

import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Collection;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;

/**
 * Answers one command at a time, as the server itself changes documents that another command may be reading.
 * With a file, what a command wrote is in it before the command is answered, so that a kill loses nothing.
 */
final class Backend extends H2Backend {
    private final boolean keeping;

    Backend(MVStore store, boolean keeping) {
        super(store);
        this.keeping = keeping;
    }

    @Override
    public synchronized Document handleMessage(MongoMessage message) {
        Document reply = super.handleMessage(message);
        if (keeping && getMvStore().hasUnsavedChanges()) {
            commit();
        }
        return reply;
    }

    @Override
    protected MongoDatabase openOrCreateDatabase(String name) {
        return new Database(name);
    }

    private final class Database extends H2Database {
        Database(String name) {
            super(name, getMvStore(), getCursorRegistry());
        }

        @Override
        protected MongoCollection<Object> openOrCreateCollection(String name, CollectionOptions options) {
            String fullName = getDatabaseName() + "." + name;
            MVMap<Object, Document> documents = getMvStore().openMap("databases." + fullName);
            MVMap<String, Object> facts = getMvStore().openMap("meta." + fullName);
            return new Collection(this, name, options, documents, facts, cursorRegistry);
        }
    }

    private static final class Collection extends H2Collection {
        Collection(MongoDatabase database, String name, CollectionOptions options, MVMap<Object, Document> documents,
                   MVMap<String, Object> facts, CursorRegistry cursors) {
            super(database, name, options, documents, facts, cursors);
        }

        /** The server looks at every document unless the key is the only condition. */
        @Override
        protected QueryResult queryDocuments(Document query, Document order, int skip, int limit, int batch,
                                             Document fields) {
            Object key = query.get("_id");
            if (query.size() == 1 || !(key instanceof String)) {
                return super.queryDocuments(query, order, skip, limit, batch, fields);
            }
            List<Object> positions = getDocument(key) == null ? List.of() : List.of(key);
            return matchDocuments(query, positions, order, skip, limit, batch, fields);
        }
    }
}
