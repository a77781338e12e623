using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Features;

namespace Ome.LocalCluster.Fakes;

/// <summary>A request the fake accepted as signed.</summary>
/// <param name="Method">In upper case.</param>
/// <param name="SigningString">What was signed.</param>
/// <param name="Headers">Names of the signed headers, in order.</param>
/// <param name="Signature">Base64.</param>
public sealed record SignedRequest(string Method, string SigningString, IReadOnlyList<string> Headers, string Signature);

/// <summary>Checks OCI request signatures: known key, complete headers, true digest of the body, a date within five minutes, a signature that verifies.</summary>
public sealed partial class OciCallers(TimeProvider time)
{
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, RSA> _keys = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _refused = new();
    private readonly ConcurrentQueue<SignedRequest> _accepted = new();

    /// <summary>Why requests were refused, in order.</summary>
    public IReadOnlyList<string> Refused => [.. _refused];

    /// <summary>Requests with a good signature, in order.</summary>
    public IReadOnlyList<SignedRequest> Accepted => [.. _accepted];

    /// <summary>The certificate chain of the one instance this fake is the metadata service of; null: no such service.</summary>
    public InstanceIdentity? Instance { get; set; }

    /// <summary>Service-account token that the cluster's token exchange takes; null: no such exchange.</summary>
    public string? ServiceAccountToken { get; set; }

    /// <summary>How long issued session tokens last.</summary>
    public TimeSpan TokenLife { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Session tokens issued so far.</summary>
    public int TokensIssued { get; private set; }

    /// <summary>From now on the key may sign.</summary>
    public void Know(string keyId, RSA publicKey) => _keys[keyId] = publicKey;

    /// <summary>The token is good no more.</summary>
    public void ForgetTokens()
    {
        foreach (var keyId in _keys.Keys.Where(keyId => keyId.StartsWith("ST$", StringComparison.Ordinal))) _keys.TryRemove(keyId, out _);
    }

    /// <summary>A session token for whoever has this key's private half: an unsigned JSON web token with an end.</summary>
    internal string Issue(string publicKey)
    {
        var key = RSA.Create();
        key.ImportSubjectPublicKeyInfo(Convert.FromBase64String(publicKey), out _);
        var claims = string.Create(CultureInfo.InvariantCulture, $$"""{"sub":"fake","jti":"{{++TokensIssued}}","exp":{{(time.GetUtcNow() + TokenLife).ToUnixTimeSeconds()}}}""");
        var token = $"{Url("""{"alg":"none"}""")}.{Url(claims)}.c2lnbmF0dXJl";
        Know("ST$" + token, key);
        return token;

        static string Url(string text) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>Why the request is not accepted; null when it is.</summary>
    internal async Task<string?> RefuseAsync(HttpContext context, IReadOnlyList<string>? required = null, Func<string, RSA?>? find = null)
    {
        var problem = await ProblemAsync(context, required ?? [], find ?? (keyId => _keys.GetValueOrDefault(keyId))).ConfigureAwait(false);
        if (problem is not null) _refused.Enqueue($"{context.Request.Method} {context.Request.Path}: {problem}");
        return problem;
    }

    private async Task<string?> ProblemAsync(HttpContext context, IReadOnlyList<string> required, Func<string, RSA?> find)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith("Signature ", StringComparison.Ordinal)) return "no signature";
        var fields = Field().Matches(header).ToDictionary(match => match.Groups["name"].Value, match => match.Groups["value"].Value, StringComparer.Ordinal);
        if (fields.GetValueOrDefault("version") != "1" || fields.GetValueOrDefault("algorithm") != "rsa-sha256") return "another version or algorithm";
        if (find(fields.GetValueOrDefault("keyId", "")) is not { } key) return "unknown key";
        var names = fields.GetValueOrDefault("headers", "").Split(' ').Select(name => name.ToLowerInvariant()).ToList();
        var hasBody = context.Request.Method is "POST" or "PUT" or "PATCH";
        string[] must = hasBody ? ["(request-target)", "content-length", "content-type", "x-content-sha256"] : ["(request-target)"];
        if (must.Concat(required).FirstOrDefault(name => !names.Contains(name, StringComparer.Ordinal)) is { } missing) return $"{missing} is not signed";
        var dateName = names.Contains("x-date", StringComparer.Ordinal) ? "x-date" : "date";
        if (!names.Contains(dateName, StringComparer.Ordinal) || !DateTimeOffset.TryParse(context.Request.Headers[dateName], CultureInfo.InvariantCulture, out var date)) return "no date is signed";
        if ((time.GetUtcNow() - date).Duration() > Skew) return "the date is more than five minutes off";
        if (hasBody && await DigestAsync(context).ConfigureAwait(false) != context.Request.Headers["x-content-sha256"]) return "x-content-sha256 is not the body's";
        var text = string.Join('\n', names.Select(name => $"{name}: {ValueOf(context, name)}"));
        if (!Verify(key, text, fields.GetValueOrDefault("signature", ""))) return "the signature does not verify";
        _accepted.Enqueue(new SignedRequest(context.Request.Method, text, names, fields["signature"]));
        return null;
    }

    private static async Task<string> DigestAsync(HttpContext context)
    {
        context.Request.EnableBuffering();
        var digest = await SHA256.HashDataAsync(context.Request.Body, context.RequestAborted).ConfigureAwait(false);
        context.Request.Body.Position = 0;
        return Convert.ToBase64String(digest);
    }

    private static bool Verify(RSA key, string text, string signature)
    {
        try
        {
            return key.VerifyData(Encoding.UTF8.GetBytes(text), Convert.FromBase64String(signature), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static string ValueOf(HttpContext context, string name) => name == "(request-target)"
        ? $"{context.Request.Method.ToLowerInvariant()} {context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget}"
        : context.Request.Headers[name].ToString();

    [GeneratedRegex("(?<name>[a-zA-Z]+)=\"(?<value>[^\"]*)\"", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Field();
}
