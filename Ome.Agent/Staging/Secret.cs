namespace Ome.Agent.Staging;

/// <summary>A credential that cannot leak by being printed: every text form of it is <c>***</c>.</summary>
public sealed class Secret
{
    private readonly string _value;

    private Secret(string value) => _value = value;

    /// <summary>Wraps text; null, empty or blank text is no secret. Surrounding white space, the trailing newline of many Secrets, goes.</summary>
    public static Secret? From(string? text) => string.IsNullOrWhiteSpace(text) ? null : new Secret(text.Trim());

    /// <summary>The value, for the one place that sends it.</summary>
    public string Reveal() => _value;

    /// <inheritdoc/>
    public override string ToString() => "***";
}

/// <summary>Reads one value of a Kubernetes Secret.</summary>
public interface ISecretReader
{
    /// <summary>The value of a data key; null when the Secret or the key does not exist, which is a warning and not an error (contract 4.11).</summary>
    /// <exception cref="HttpRequestException">Whether they exist cannot be found out now; its text may be shown.</exception>
    Task<Secret?> ReadAsync(string secretNamespace, string name, string key, CancellationToken cancellationToken);
}

/// <summary>For agents without a cluster: no Secret exists.</summary>
public sealed class NoSecrets : ISecretReader
{
    /// <inheritdoc/>
    public Task<Secret?> ReadAsync(string secretNamespace, string name, string key, CancellationToken cancellationToken) => Task.FromResult<Secret?>(null);
}
