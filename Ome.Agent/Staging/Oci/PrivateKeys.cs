using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Ome.Agent.Staging.Oci;

/// <summary>Reading of keys, tokens and small files, bounded; nothing of their content gets into an exception or message.</summary>
internal static class PrivateKeys
{
    private const int MostBytes = 1 << 20;

    /// <summary>An RSA key from PEM (PKCS #1 or #8, encrypted or not); null when it is none or the pass phrase is wrong.</summary>
    public static RSA? Read(string pem, string? passphrase)
    {
        var key = RSA.Create();
        try
        {
            // Some tools append a label line after the key.
            var end = pem.IndexOf("-----END", StringComparison.Ordinal);
            var text = end < 0 ? pem : pem[..(pem.IndexOf('\n', end) is var line and >= 0 ? line : pem.Length)];
            if (text.Contains("ENCRYPTED", StringComparison.Ordinal)) key.ImportFromEncryptedPem(text, passphrase ?? "");
            else key.ImportFromPem(text);
            return key;
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key.Dispose();
            return null;
        }
    }

    /// <summary>A small text file; null when it cannot be read.</summary>
    public static async Task<string?> ReadFileAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var buffer = new byte[Math.Min(file.Length, MostBytes) + 1];
            var read = await file.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return Encoding.UTF8.GetString(buffer, 0, Math.Min(read, MostBytes)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>A value that is given itself or as the absolute path of a file with it; null when the file cannot be read.</summary>
    public static async Task<string?> ValueOrFileAsync(string value, CancellationToken cancellationToken) =>
        value.StartsWith('/') ? await ReadFileAsync(value, cancellationToken).ConfigureAwait(false) : value;

    /// <summary>When a JSON web token ends (its <c>exp</c>); null when it does not say.</summary>
    public static DateTimeOffset? ExpiryOf(string token)
    {
        var parts = token.Split('.');
        if (parts.Length != 3) return null;
        try
        {
            var bytes = System.Buffers.Text.Base64Url.DecodeFromChars(parts[1]);
            using var claims = JsonDocument.Parse(bytes);
            return claims.RootElement.TryGetProperty("exp", out var exp) && exp.TryGetInt64(out var seconds) ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    /// <summary>The public half as base64 of its SubjectPublicKeyInfo: PEM without its first and last line.</summary>
    public static string PublicKeyText(RSA key) => Convert.ToBase64String(key.ExportSubjectPublicKeyInfo());
}
