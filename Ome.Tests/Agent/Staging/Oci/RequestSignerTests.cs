using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Ome.Agent.Staging.Oci;

namespace Ome.Tests.Agent.Staging.Oci;

/// <summary>The example requests of OCI's documentation on request signatures: its key, its strings, its signatures.</summary>
public sealed class RequestSignerTests
{
    private const string KeyId =
        "ocid1.tenancy.oc1..aaaaaaaaba3pv6wkcr4jqae5f15p2b2m2yt2j6rx32uzr4h25vqstifsfdsq/ocid1.user.oc1..aaaaaaaat5nvwcna5j6aqzjcaty5eqbb6qt2jvpkanghtgdaqedqw3rynjq/20:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34";

    private const string GetUrl =
        "https://iaas.us-phoenix-1.oraclecloud.com/20160918/instances?availabilityDomain=Pjwf%3A%20PHX-AD-1&compartmentId=ocid1.compartment.oc1..aaaaaaaam3we6vgnherjq5q2idnccdflvjsnog7mlr6rtdb25gilchfeyjxa&displayName=TeamXInstances&volumeId=ocid1.volume.oc1.phx.abyhqljrgvttnlx73nmrwfaux7kcvzfs3s66izvxf2h4lgvyndsdsnoiwr5q";

    private const string PostBody = """
        {
            "compartmentId": "ocid1.compartment.oc1..aaaaaaaam3we6vgnherjq5q2idnccdflvjsnog7mlr6rtdb25gilchfeyjxa",
            "instanceId": "ocid1.instance.oc1.phx.abuw4ljrlsfiqw6vzzxb43vyypt4pkodawglp3wqxjqofakrwvou52gb6s5a",
            "volumeId": "ocid1.volume.oc1.phx.abyhqljrgvttnlx73nmrwfaux7kcvzfs3s66izvxf2h4lgvyndsdsnoiwr5q"
        }
        """;

    private static readonly DateTimeOffset Date = new(2014, 1, 5, 21, 31, 40, TimeSpan.Zero);

    // The published date names the wrong weekday; a clock cannot say it, so the text is signed as published.
    private const string PublishedDate = "Thu, 05 Jan 2014 21:31:40 GMT";

    [Test]
    public void The_published_get_request_gives_the_published_signature()
    {
        using var key = PublishedKey();
        var text = RequestSigner.SigningString(RequestSigner.Headers, Published("get", new Uri(GetUrl), null));

        text.Should().StartWith("date: Thu, 05 Jan 2014 21:31:40 GMT\n(request-target): get /20160918/instances?availabilityDomain=Pjwf%3A%20PHX-AD-1&compartmentId=").And.EndWith("\nhost: iaas.us-phoenix-1.oraclecloud.com");
        RequestSigner.Sign(text, key).Should().Be("GBas7grhyrhSKHP6AVIj/h5/Vp8bd/peM79H9Wv8kjoaCivujVXlpbKLjMPeDUhxkFIWtTtLBj3sUzaFj34XE6YZAHc9r2DmE4pMwOAy/kiITcZxa1oHPOeRheC0jP2dqbTll8fmTZVwKZOKHYPtrLJIJQHJjNvxFWeHQjMaR7M=");
    }

    [Test]
    public void The_published_post_request_gives_the_published_signature()
    {
        using var key = PublishedKey();
        var body = Encoding.UTF8.GetBytes(PostBody.ReplaceLineEndings("\n"));
        var names = RequestSigner.Headers.Concat(RequestSigner.BodyHeaders).ToList();

        body.Should().HaveCount(316);
        var text = RequestSigner.SigningString(names, Published("post", new Uri("https://iaas.us-phoenix-1.oraclecloud.com/20160918/volumeAttachments"), body));

        text.Should().EndWith("content-length: 316\ncontent-type: application/json\nx-content-sha256: V9Z20UJTvkvpJ50flBzKE32+6m2zJjweHpDMX/U4Uy0=");
        RequestSigner.Sign(text, key).Should().Be("Mje8vIDPlwIHmD/cTDwRxE7HaAvBg16JnVcsuqaNRim23fFPgQfLoOOxae6WqKb1uPjYEl0qIdazWaBy/Ml8DRhqlocMwoSXv0fbukP8J5N80LCmzT/FFBvIvTB91XuXI3hYfP9Zt1l7S6ieVadHUfqBedWH0itrtPJBgKmrWso=");
    }

    [Test]
    public async Task A_request_without_body_carries_the_documented_header()
    {
        using var key = PublishedKey();
        using var request = new HttpRequestMessage(HttpMethod.Get, GetUrl);

        await RequestSigner.SignAsync(request, KeyId, key, Date, null, CancellationToken.None);

        var header = request.Headers.GetValues("Authorization").Single();
        header.Should().StartWith($"Signature version=\"1\",headers=\"date (request-target) host\",keyId=\"{KeyId}\",algorithm=\"rsa-sha256\",signature=\"");
        request.Headers.Date.Should().Be(Date);
        var text = $"date: Sun, 05 Jan 2014 21:31:40 GMT\n(request-target): get {new Uri(GetUrl).PathAndQuery}\nhost: iaas.us-phoenix-1.oraclecloud.com";
        header.Should().Contain($"signature=\"{RequestSigner.Sign(text, key)}\"");
    }

    [Test]
    public async Task A_request_with_body_signs_its_digest_length_and_type()
    {
        using var key = PublishedKey();
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://iaas.us-phoenix-1.oraclecloud.com/20160918/volumeAttachments")
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(PostBody.ReplaceLineEndings("\n"))),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");

        await RequestSigner.SignAsync(request, KeyId, key, Date, null, CancellationToken.None);

        request.Headers.GetValues("x-content-sha256").Single().Should().Be("V9Z20UJTvkvpJ50flBzKE32+6m2zJjweHpDMX/U4Uy0=");
        request.Headers.GetValues("Authorization").Single().Should().Contain("headers=\"date (request-target) host content-length content-type x-content-sha256\"");
    }

    [Test]
    public async Task Signing_again_replaces_the_first_signature()
    {
        using var key = PublishedKey();
        using var request = new HttpRequestMessage(HttpMethod.Get, GetUrl);

        await RequestSigner.SignAsync(request, KeyId, key, Date, null, CancellationToken.None);
        await RequestSigner.SignAsync(request, KeyId, key, Date.AddMinutes(1), null, CancellationToken.None);

        request.Headers.GetValues("Authorization").Should().ContainSingle();
    }

    internal static RSA PublishedKey()
    {
        var key = RSA.Create();
        key.ImportFromPem(string.Join('\n', File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Cases", "oci", "published-key.pem"))));
        return key;
    }

    private static Func<string, string> Published(string method, Uri address, byte[]? body) => name => name switch
    {
        "date" => PublishedDate,
        "(request-target)" => $"{method} {address.PathAndQuery}",
        "host" => address.Host,
        "content-length" => body!.Length.ToString(CultureInfo.InvariantCulture),
        "content-type" => "application/json",
        _ => Convert.ToBase64String(SHA256.HashData(body!)),
    };
}
