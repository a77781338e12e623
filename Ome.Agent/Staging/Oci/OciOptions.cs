using System.ComponentModel.DataAnnotations;

namespace Ome.Agent.Staging.Oci;

/// <summary>Settings of the OCI Object Storage source and its ways to authenticate (contract 5.3).</summary>
public sealed class OciOptions : SourceHttpOptions
{
    /// <summary>Where instances ask for their own metadata.</summary>
    public const string DefaultMetadataEndpoint = "http://169.254.169.254/opc/v2/";

    /// <summary>Object Storage endpoint for all regions, for private endpoints and tests; null: the region's public one.</summary>
    public string? Endpoint { get; set; }

    /// <summary>Region when neither the model nor the credentials name one; env <c>OCI_REGION</c>.</summary>
    public string? Region { get; set; }

    /// <summary>Domain of the realm when the region is not in the built-in table; env <c>OCI_REALM_DOMAIN</c>.</summary>
    public string? RealmDomain { get; set; }

    /// <summary>API-key configuration file; env <c>OCI_CONFIG_PATH</c>, default <c>~/.oci/config</c>.</summary>
    public string ConfigPath { get; set; } = "";

    /// <summary>Section of the configuration file; env <c>PROFILE</c>, default <c>DEFAULT</c>.</summary>
    [Required]
    public string Profile { get; set; } = "DEFAULT";

    /// <summary>Sign with the section's session token instead of its API key; env <c>USE_SESSION_TOKEN=true</c>.</summary>
    public bool UseSessionToken { get; set; }

    /// <summary>Instance metadata service, version 2.</summary>
    [Required]
    public string MetadataEndpoint { get; set; } = DefaultMetadataEndpoint;

    /// <summary>Federation endpoint; env <c>OCI_SDK_AUTH_CLIENT_REGION_URL</c>; null: the region's public one.</summary>
    public string? AuthEndpoint { get; set; }

    /// <summary>Session token of a resource principal, or the absolute path of a file with it; env <c>OCI_RESOURCE_PRINCIPAL_RPST</c>.</summary>
    public string? ResourceToken { get; set; }

    /// <summary>Private key of a resource principal in PEM, or the absolute path of a file with it; env <c>OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM</c>.</summary>
    public Secret? ResourceKey { get; set; }

    /// <summary>Pass phrase of that key, or a path; env <c>OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM_PASSPHRASE</c>.</summary>
    public Secret? ResourceKeyPassphrase { get; set; }

    /// <summary>Version of the resource principal; env <c>OCI_RESOURCE_PRINCIPAL_VERSION</c>. Served: 2.2.</summary>
    public string? ResourceVersion { get; set; }

    /// <summary>Region of a resource principal; env <c>OCI_RESOURCE_PRINCIPAL_REGION</c>.</summary>
    public string? ResourceRegion { get; set; }

    /// <summary>OKE's token exchange; env <c>KUBERNETES_SERVICE_HOST</c> with port 12250 (or <c>KUBERNETES_SERVICE_PORT_PROXYMUX</c>).</summary>
    public string? WorkloadTokenEndpoint { get; set; }

    /// <summary>The pod's service-account token.</summary>
    [Required]
    public string ServiceAccountTokenPath { get; set; } = "/var/run/secrets/kubernetes.io/serviceaccount/token";

    /// <summary>Certificate authority of the token exchange.</summary>
    [Required]
    public string ServiceAccountCertificatePath { get; set; } = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";

    /// <summary>Namespace of the Secrets of cluster-scoped models: the agent's own (W9).</summary>
    [Required]
    public string AgentNamespace { get; set; } = Shared.Domain.OmeNames.DefaultNamespace;

    /// <summary>Objects asked for per page of a listing; the store gives at most 1,000.</summary>
    [Range(1, 1000)]
    public int PageSize { get; set; } = 1000;

    /// <summary>HEAD requests at once while listing. Default 8.</summary>
    [Range(1, 64)]
    public int HeadConcurrency { get; set; } = 8;

    /// <summary>Reads the environment's settings into <paramref name="options"/>; <paramref name="read"/> gives a variable's value or null.</summary>
    public static void ReadEnvironment(OciOptions options, Func<string, string?> read)
    {
        options.Region = Given("OCI_REGION") ?? options.Region;
        options.RealmDomain = Given("OCI_REALM_DOMAIN") ?? options.RealmDomain;
        options.ConfigPath = Given("OCI_CONFIG_PATH") ?? (Given("HOME") is { } home ? Path.Combine(home, ".oci", "config") : options.ConfigPath);
        options.Profile = Given("PROFILE") ?? options.Profile;
        options.UseSessionToken = Given("USE_SESSION_TOKEN") == "true" || options.UseSessionToken;
        options.AuthEndpoint = Given("OCI_SDK_AUTH_CLIENT_REGION_URL") ?? options.AuthEndpoint;
        options.ResourceToken = Given("OCI_RESOURCE_PRINCIPAL_RPST") ?? options.ResourceToken;
        options.ResourceKey = Secret.From(read("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM")) ?? options.ResourceKey;
        options.ResourceKeyPassphrase = Secret.From(read("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM_PASSPHRASE")) ?? options.ResourceKeyPassphrase;
        options.ResourceVersion = Given("OCI_RESOURCE_PRINCIPAL_VERSION") ?? options.ResourceVersion;
        options.ResourceRegion = Given("OCI_RESOURCE_PRINCIPAL_REGION") ?? options.ResourceRegion;
        if (Given("KUBERNETES_SERVICE_HOST") is { } host)
            options.WorkloadTokenEndpoint = $"https://{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{Given("KUBERNETES_SERVICE_PORT_PROXYMUX") ?? "12250"}/resourcePrincipalSessionTokens";

        string? Given(string name) => read(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;
    }
}
