package millrace;

import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandles;

import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** Makes the server compare text by code point, as MongoDB does; by itself it compares UTF-16 units. */
public final class CodePointOrder {
    private static final String COMPARATOR = "de/bwaldvogel/mongo/backend/ValueComparator";

    private CodePointOrder() {
    }

    /** Must run before the server's comparator is loaded. */
    static void install() throws IOException, ReflectiveOperationException {
        Class<?> neighbour = Class.forName("de.bwaldvogel.mongo.backend.Assert");
        MethodHandles.privateLookupIn(neighbour, MethodHandles.lookup()).defineClass(changedComparator());
    }

    public static int compare(String one, String other) {
        int[] ones = one.codePoints().toArray();
        int[] others = other.codePoints().toArray();
        return java.util.Arrays.compare(ones, others);
    }

    private static byte[] changedComparator() throws IOException {
        try (InputStream original = CodePointOrder.class.getResourceAsStream("/" + COMPARATOR + ".class")) {
            ClassReader reader = new ClassReader(original);
            ClassWriter writer = new ClassWriter(reader, 0);
            reader.accept(new Redirection(writer), 0);
            return writer.toByteArray();
        }
    }

    private static final class Redirection extends ClassVisitor {
        Redirection(ClassVisitor next) {
            super(Opcodes.ASM9, next);
        }

        @Override
        public MethodVisitor visitMethod(int access, String name, String type, String signature, String[] throwing) {
            return new MethodVisitor(Opcodes.ASM9, super.visitMethod(access, name, type, signature, throwing)) {
                @Override
                public void visitMethodInsn(int opcode, String owner, String method, String methodType, boolean onInterface) {
                    if (owner.equals("java/lang/String") && method.equals("compareTo")) {
                        super.visitMethodInsn(Opcodes.INVOKESTATIC, "millrace/CodePointOrder", "compare",
                            "(Ljava/lang/String;Ljava/lang/String;)I", false);
                    } else {
                        super.visitMethodInsn(opcode, owner, method, methodType, onInterface);
                    }
                }
            };
        }
    }
}
