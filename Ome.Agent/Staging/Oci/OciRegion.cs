using System.Collections.Frozen;

namespace Ome.Agent.Staging.Oci;

/// <summary>Region names, their short keys (which instance metadata gives for the oldest regions) and the domain of their realm.</summary>
internal static class OciRegion
{
    private const string CommercialDomain = "oraclecloud.com";

    private static readonly FrozenDictionary<string, string> ByKey = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["iad"] = "us-ashburn-1",
        ["phx"] = "us-phoenix-1",
        ["fra"] = "eu-frankfurt-1",
        ["lhr"] = "uk-london-1",
        ["nrt"] = "ap-tokyo-1",
        ["icn"] = "ap-seoul-1",
        ["yyz"] = "ca-toronto-1",
        ["bom"] = "ap-mumbai-1",
        ["gru"] = "sa-saopaulo-1",
        ["syd"] = "ap-sydney-1",
        ["zrh"] = "eu-zurich-1",
        ["kix"] = "ap-osaka-1",
        ["ams"] = "eu-amsterdam-1",
        ["jed"] = "me-jeddah-1",
        ["yul"] = "ca-montreal-1",
        ["mel"] = "ap-melbourne-1",
        ["hyd"] = "ap-hyderabad-1",
        ["sjc"] = "us-sanjose-1",
        ["cwl"] = "uk-cardiff-1",
        ["dxb"] = "me-dubai-1",
        ["yny"] = "ap-chuncheon-1",
        ["scl"] = "sa-santiago-1",
        ["ord"] = "us-chicago-1",
        ["lfi"] = "us-langley-1",
        ["luf"] = "us-luke-1",
        ["ric"] = "us-gov-ashburn-1",
        ["pia"] = "us-gov-chicago-1",
        ["tus"] = "us-gov-phoenix-1",
        ["ltn"] = "uk-gov-london-1",
        ["brs"] = "uk-gov-cardiff-1",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    // Realms outside the commercial one, by the shape of their region names.
    private static readonly (string Start, string Domain)[] Realms =
    [
        ("us-langley-", "oraclegovcloud.com"), ("us-luke-", "oraclegovcloud.com"), ("us-gov-", "oraclegovcloud.com"), ("uk-gov-", "oraclegovcloud.uk"),
        ("ap-chiyoda-", "oraclecloud8.com"), ("ap-ibaraki-", "oraclecloud8.com"), ("me-dcc-muscat-", "oraclecloud9.com"), ("me-ibri-", "oraclecloud9.com"),
        ("ap-dcc-canberra-", "oraclecloud10.com"), ("eu-dcc-", "oraclecloud14.com"), ("eu-jovanovac-", "oraclecloud20.com"),
    ];

    /// <summary>The full name for a short key; other text as it is, in lower case.</summary>
    public static string Named(string region) => ByKey.TryGetValue(region.Trim(), out var name) ? name : region.Trim().ToLowerInvariant();

    /// <summary>True for text that can stand in a host name; anything else must never reach one.</summary>
    public static bool IsName(string region) => region.Length is > 0 and <= 63 && region.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') && region[0] != '-';

    /// <summary>Host of a service in a region.</summary>
    public static Uri EndpointOf(string service, string region, string? realmDomain) => new($"https://{service}.{region}.{realmDomain ?? DomainOf(region)}/");

    private static string DomainOf(string region) =>
        Realms.FirstOrDefault(realm => region.StartsWith(realm.Start, StringComparison.Ordinal)).Domain ?? CommercialDomain;
}
