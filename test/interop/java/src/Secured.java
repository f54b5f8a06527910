import org.apache.rocketmq.acl.common.AclClientRPCHook;
import org.apache.rocketmq.acl.common.SessionCredentials;
import org.apache.rocketmq.remoting.RPCHook;

/** Signing as applications set it up: options accessKey and secretKey. */
final class Secured {
    private Secured() {
    }

    static RPCHook hook(Options options) {
        String accessKey = options.text("accessKey", "");
        return accessKey.isEmpty() ? null : new AclClientRPCHook(new SessionCredentials(accessKey, options.text("secretKey", "")));
    }
}
