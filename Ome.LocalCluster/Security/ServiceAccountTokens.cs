using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Storage;

namespace Ome.LocalCluster.Security;

/// <summary>Issues and checks service-account tokens: JWTs signed with a key that lives as long as the process.</summary>
/// <remarks>A token dies with its service account, also when one of the same name is created again.</remarks>
public sealed class ServiceAccountTokens(ObjectStore store, TimeProvider clock)
{
    private const string Issuer = "https://kubernetes.default.svc";

    private static readonly string Header = Encode("""{"alg":"HS256","typ":"JWT"}"""u8);

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    /// <summary>A token for a service account, and when it expires.</summary>
    public (string Token, DateTimeOffset Expires) Issue(StoredObject account, TimeSpan lifetime, IEnumerable<string> audiences)
    {
        var now = clock.GetUtcNow();
        var expires = now + lifetime;
        var claims = new JsonObject
        {
            ["iss"] = Issuer,
            ["sub"] = $"system:serviceaccount:{account.Key.Namespace}:{account.Key.Name}",
            ["aud"] = audiences.DefaultIfEmpty(Issuer).ToJsonArray(),
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = expires.ToUnixTimeSeconds(),
            ["kubernetes.io"] = new JsonObject
            {
                ["namespace"] = account.Key.Namespace,
                ["serviceaccount"] = new JsonObject { ["name"] = account.Key.Name, ["uid"] = account.Uid },
            },
        };
        var signed = Header + "." + Encode(JsonText.ToUtf8(claims));
        return (signed + "." + Sign(signed), expires);
    }

    /// <summary>The service account behind a token; null when the token is not ours, expired, or its account is gone.</summary>
    public Identity? Verify(string token)
    {
        var dot = token.LastIndexOf('.');
        if (dot < 0 || !CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Sign(token[..dot])), Encoding.UTF8.GetBytes(token[(dot + 1)..]))) return null;
        var claims = JsonText.Parse(Base64Url.DecodeFromChars(token[..dot].Split('.')[1]))!.AsObject();
        if (claims.Integer("exp") <= clock.GetUtcNow().ToUnixTimeSeconds()) return null;
        var bound = claims.Map("kubernetes.io")!;
        var account = bound.Map("serviceaccount")!;
        var key = new ObjectKey(bound.Text("namespace")!, account.Text("name")!);
        var live = store.Get(store.Collection("serviceaccounts"), key);
        return live?.Uid == account.Text("uid") ? Identity.ServiceAccount(key.Namespace, key.Name, live!.Uid) : null;
    }

    private string Sign(string text) => Encode(HMACSHA256.HashData(_key, Encoding.ASCII.GetBytes(text)));

    private static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);
}
