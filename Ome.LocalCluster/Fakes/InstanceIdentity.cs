using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ome.LocalCluster.Fakes;

/// <summary>The certificate an OCI instance is given, with its key and the authority between it and the root.</summary>
public sealed class InstanceIdentity : IDisposable
{
    private readonly RSA _key = RSA.Create(2048);

    /// <summary>Makes keys and certificates.</summary>
    /// <param name="tenancy">OCID that the subject names.</param>
    /// <param name="now">Start of the certificates' life.</param>
    /// <param name="region">What the metadata service says of the region; old regions have a short key.</param>
    public InstanceIdentity(string tenancy, DateTimeOffset now, string region = "iad")
    {
        (Tenancy, Region) = (tenancy, region);
        using var authorityKey = RSA.Create(2048);
        var authority = new CertificateRequest("CN=PKISVC Identity Intermediate fake", authorityKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        Intermediate = authority.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        var subject = new CertificateRequest($"OU=opc-tenant:{tenancy}, OU=opc-instance:ocid1.instance.fake, CN=ocid1.instance.fake", _key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var signed = subject.Create(Intermediate, now.AddHours(-1), now.AddDays(1), [1, 2, 3, 4]);
        Leaf = X509CertificateLoader.LoadCertificate(signed.RawData);
    }

    public string Tenancy { get; }

    public string Region { get; }

    public X509Certificate2 Leaf { get; }

    public X509Certificate2 Intermediate { get; }

    /// <summary>PKCS #1, as the metadata service gives it.</summary>
    public string KeyPem => _key.ExportRSAPrivateKeyPem();

    /// <summary>Who the federation endpoint expects to sign.</summary>
    public string KeyId => $"{Tenancy}/fed-x509-sha256/{string.Join(':', SHA256.HashData(Leaf.RawData).Select(value => value.ToString("X2", null)))}";

    public void Dispose()
    {
        _key.Dispose();
        Leaf.Dispose();
        Intermediate.Dispose();
    }
}
