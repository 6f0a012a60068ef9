import java.security.KeyStore;
import java.security.Provider;
import java.security.Security;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/** TlsServer CONFIGURATION ALIAS: answers every TLS connection with the key on the token; PIN in the environment. */
public class TlsServer {
    public static void main(String[] args) throws Exception {
        Provider provider = Security.getProvider("SunPKCS11").configure(args[0]);
        Security.addProvider(provider);
        char[] pin = System.getenv("PIN").toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS11", provider);
        store.load(null, pin);
        if (!store.isKeyEntry(args[1]))
            throw new IllegalArgumentException("no key " + args[1]);
        KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
        keys.init(store, pin);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        java.net.InetAddress loopback = java.net.InetAddress.getByName("127.0.0.1");
        SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0, 8, loopback);
        System.out.println("listening on " + listener.getLocalPort());
        System.out.flush();
        while (true) {
            try (SSLSocket socket = (SSLSocket) listener.accept()) {
                socket.startHandshake();
                socket.getOutputStream().write("hello\n".getBytes());
            } catch (java.io.IOException e) {
                System.err.println(e);
            }
        }
    }
}
