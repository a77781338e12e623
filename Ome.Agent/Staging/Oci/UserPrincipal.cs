namespace Ome.Agent.Staging.Oci;

/// <summary><c>UserPrincipal</c>: an API key, or a session token, from a section of the OCI configuration file.</summary>
internal sealed class UserPrincipal(OciOptions options, TimeProvider time) : SigningAuthenticator(time)
{
    /// <inheritdoc/>
    public override async ValueTask<string?> RegionAsync(CancellationToken cancellationToken) =>
        (await SectionAsync(cancellationToken).ConfigureAwait(false)).Section?.GetValueOrDefault("region");

    protected override async Task<IdentityAnswer> MakeAsync(CancellationToken cancellationToken)
    {
        var (section, refusal) = await SectionAsync(cancellationToken).ConfigureAwait(false);
        if (section is null) return IdentityAnswer.Refused(refusal!);
        var where = $"section [{options.Profile}] of {options.ConfigPath} (OCI_CONFIG_PATH)";
        if (Missing(section, "key_file") is { } noKey) return IdentityAnswer.Refused($"{where} has no {noKey}");
        var keyFile = Absolute(section["key_file"]);
        if (await PrivateKeys.ReadFileAsync(keyFile, cancellationToken).ConfigureAwait(false) is not { } pem) return IdentityAnswer.Refused($"{where} names the key file {keyFile}, which cannot be read");
        if (PrivateKeys.Read(pem, section.GetValueOrDefault("pass_phrase")) is not { } key)
            return IdentityAnswer.Refused($"{where} names the key file {keyFile}, which is no RSA key in PEM that its pass_phrase opens");
        if (!options.UseSessionToken)
        {
            if (Missing(section, "tenancy", "user", "fingerprint") is { } missing) return IdentityAnswer.Refused($"{where} has no {missing}");
            return new SigningIdentity($"{section["tenancy"]}/{section["user"]}/{section["fingerprint"]}", key, null);
        }

        if (Missing(section, "security_token_file") is not null) return IdentityAnswer.Refused($"USE_SESSION_TOKEN is true and {where} has no security_token_file");
        var tokenFile = Absolute(section["security_token_file"]);
        return await PrivateKeys.ReadFileAsync(tokenFile, cancellationToken).ConfigureAwait(false) is { } token
            ? new SigningIdentity("ST$" + token, key, PrivateKeys.ExpiryOf(token))
            : IdentityAnswer.Refused($"{where} names the token file {tokenFile}, which cannot be read");
    }

    private async Task<(Dictionary<string, string>? Section, string? Refusal)> SectionAsync(CancellationToken cancellationToken)
    {
        if (options.ConfigPath.Length == 0) return (null, "parameters.auth is UserPrincipal and no configuration file is named: set OCI_CONFIG_PATH");
        if (await PrivateKeys.ReadFileAsync(options.ConfigPath, cancellationToken).ConfigureAwait(false) is not { } text)
            return (null, $"the configuration file {options.ConfigPath} cannot be read: set OCI_CONFIG_PATH");
        var sections = OciConfigFile.Parse(text);
        return sections.TryGetValue(options.Profile, out var section)
            ? (section, null)
            : (null, $"{options.ConfigPath} has no section [{options.Profile}] (PROFILE): it has {(sections.Count == 0 ? "none" : string.Join(", ", sections.Keys.Order(StringComparer.Ordinal)))}");
    }

    // Relative paths are meant from the file's own directory, since an agent has no home; ~ is what people copy from their own.
    private string Absolute(string path) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(options.ConfigPath))!, path.StartsWith("~/.oci/", StringComparison.Ordinal) ? path[7..] : path);

    private static string? Missing(Dictionary<string, string> section, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (!section.TryGetValue(name, out var value) || value.Length == 0) return name;
        }

        return null;
    }
}

/// <summary>The INI form of the OCI configuration file; a section inherits from <c>[DEFAULT]</c>.</summary>
internal static class OciConfigFile
{
    public static Dictionary<string, Dictionary<string, string>> Parse(string text)
    {
        var sections = new Dictionary<string, Dictionary<string, string>>(StringComparer.Ordinal);
        Dictionary<string, string>? current = null;
        foreach (var raw in text.Split('\n'))
        {
            var line = raw.Trim();
            if (line.Length == 0 || line[0] is '#' or ';') continue;
            if (line[0] == '[' && line[^1] == ']') sections[line[1..^1].Trim()] = current = new(StringComparer.Ordinal);
            else if (current is not null && line.IndexOf('=', StringComparison.Ordinal) is var equals and > 0) current[line[..equals].Trim()] = line[(equals + 1)..].Trim();
        }

        if (!sections.TryGetValue("DEFAULT", out var defaults)) return sections;
        foreach (var section in sections.Values.Where(section => section != defaults))
        {
            foreach (var (name, value) in defaults) section.TryAdd(name, value);
        }

        return sections;
    }
}
